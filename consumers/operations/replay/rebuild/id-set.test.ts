import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hashedId } from '../../../runtime/tables/inbox/inbox.ts'
import { newEventId } from '../../../../schemas/event-id.ts'
import { IdSet, packIds } from './id-set.ts'

describe('a set of ids', () => {
  test('knows what was added, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uuid(), { maxLength: 3_000 }), (ids) => {
        const known = new Set<string>()
        const set = new IdSet()
        for (const id of [...ids, ...ids.slice(0, 10)]) {
          expect({ id, isNew: set.add(id) }).toEqual({ id, isNew: !known.has(id) })
          known.add(id)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('is the same after it was packed', () => {
    const ids = Array.from({ length: 5_000 }, (_, n) => (n % 2 ? newEventId(n) : hashedId(`event ${n}`)))
    const set = new IdSet()
    set.addPacked(packIds(ids.slice(0, 2_000)))
    set.addPacked(packIds(ids.slice(2_000)))
    expect(packIds(ids)).toHaveLength(16 * ids.length)
    expect(ids.filter((id) => set.add(id))).toEqual([])
    expect(set.add(newEventId())).toBe(true)
  })
})
