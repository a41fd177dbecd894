import { expect, test } from '@jest/globals'
import { createEncoder } from '../../../schemas/codec/encoder.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import { laneOf } from '../../../schemas/partition.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { orderPlaced } from '../../runtime/testing/tally-consumer.ts'
import { encodeEdit } from './edit-parked.ts'
import { changedFields } from './read-edit.ts'

const schemas = loadSchemas()
const encode = createEncoder(schemas, new Map(schemas.map(({ type }, index) => [type, index + 1])))
const lane = laneOf('o-1', 12)
const row = { id: 1, lane, key: 'o-1', source: 'record', topic: 'orders', partition: lane, offset: 7 } as const
const edit = { type: 'OrderPlaced', data: orderPlaced('o-1').data } as const
const encoded = (more: Partial<ParkedRow>) => encodeEdit({ ...row, ...more } as ParkedRow, edit, { encode }, 12)

test('what an edit of the value cannot mend is refused with the way on', () => {
  const way = /Publish it again \(npm run produce\) and drop this one$/
  expect(() => encoded({ headers: { ce_time: '2026-11-28' }, recordTime: Date.now() })).toThrow(way)
  expect(() => encoded({ headers: {}, recordTime: 1 })).toThrow(way)
  expect(encoded({ headers: { ce_time: '2026-11-28T10:00:00Z' }, recordTime: 1 }).type).toBe('OrderPlaced')
})

test.each([
  ['a field', { a: 1, b: [1] }, { a: 2, b: [1] }, ['a: 1 → 2']],
  ['an element', { b: [{ n: 1 }, 2] }, { b: [{ n: 3 }, 2] }, ['b[0].n: 1 → 3']],
  ['a list that grew', { b: [1] }, { b: [1, 2] }, ['b[1]: nothing → 2']],
  ['a list that shrank', { b: [1, 2] }, { b: [1] }, ['b[1]: 2 → nothing']],
  ['a list with something in between', { b: [1, 3] }, { b: [1, 2, 3] }, ['b: [1,3] → [1,2,3]']],
])('of a value that changes, %s', (_what, before, after, told) => expect(changedFields(before, after)).toEqual(told))
