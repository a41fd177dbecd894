import { describe, expect, test } from '@jest/globals'
import type { PlanPartition } from '../plan.ts'
import { actsOtherwise, incomplete, tooLarge } from './preconditions.ts'

const range = (more: Partial<PlanPartition>): PlanPartition =>
  ({ topic: 'orders', partition: 0, from: 0, low: 0, to: 9, ...more }) as PlanPartition
const all = { topic: 'orders', partition: 0, next: 0 }
const planOf = (...partitions: PlanPartition[]) => ({
  selector: {},
  partitions,
  topics: [{ topic: 'orders', topicId: null }],
})

describe('a plan to rebuild from', () => {
  test('covers all that is kept of every topic the group reads', () => {
    expect(incomplete(planOf(range({})), [all], {})).toEqual([])
    expect(incomplete(planOf(range({})), [all, { ...all, topic: 'payments' }], {})).toEqual([
      expect.stringContaining('topic payments'),
    ])
    expect(incomplete(planOf(range({ from: 4 })), [all], {})).toEqual([
      expect.stringContaining('begins at offset 4, not at 0'),
    ])
    const chosen = { ...planOf(range({})), selector: { keys: ['order-1'] } }
    expect(incomplete(chosen, [all], {})).toEqual([expect.stringContaining('chooses events')])
  })

  test('may lack what retention has deleted only if that is accepted', () => {
    const plan = planOf(range({ from: 4, low: 4 }))
    const kept = [all, { ...all, partition: 1, next: 4 }, { ...all, partition: 2, next: 4 }]
    expect(incomplete(plan, kept, {})).toEqual([expect.stringContaining('--accept-lost')])
    expect(incomplete(plan, kept, { acceptLost: true })).toEqual([])
  })
})

test('a rebuild whose ids do not fit in memory is refused before it starts, with the estimate', () => {
  const gibibyte = 2 ** 30
  const lanes = (count: number, events: number) =>
    Array.from({ length: count }, (_, partition) => ({ partition, from: 10, to: 10 + events / count }))
  expect(tooLarge(lanes(16, 1e6), gibibyte)).toEqual([])
  expect(tooLarge(lanes(16, 1e8), 16 * gibibyte)).toEqual([])
  expect(tooLarge(lanes(16, 1e8), 4 * gibibyte)).toEqual([
    'the ids of 100,000,000 events need up to 6,144 MiB of memory, and a rebuild may use 2,048 MiB here: run it on a larger machine',
  ])
})

describe('a group whose tables can be rebuilt', () => {
  test('does nothing but fill them from events', () => {
    expect(actsOtherwise({ group: 'g', effects: 'none' })).toEqual([])
    expect(actsOtherwise({ group: 'g', effects: 'local' })).toHaveLength(1)
    expect(actsOtherwise({ group: 'g' })).toHaveLength(1)
    const shared = { ids: () => [], lock: () => Promise.resolve(new Map()), save: () => Promise.resolve() }
    expect(actsOtherwise({ group: 'g', effects: 'none', shared, timers: {} })).toEqual([
      'g has timers and rows that lanes share: only state that derives from events alone can be rebuilt',
    ])
  })
})
