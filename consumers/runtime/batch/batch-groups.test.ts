import { setImmediate as soon } from 'node:timers/promises'
import { afterEach, expect, jest, test } from '@jest/globals'
import { TallyError } from '../../../infra/errors.ts'
import { Pace } from '../../../infra/linger/pace.ts'
import type { LaneBatch } from '../model.ts'
import { BatchGroups } from './batch-groups.ts'
import type { Processed } from './process-batch.ts'

afterEach(() => void jest.restoreAllMocks().useRealTimers())

const context = { pool: { options: { max: 4 } } } as never

const workOf = (lane: number, inputs: number): LaneBatch => {
  const batch = { source: 'timer', inputs: Array.from({ length: inputs }, () => ({})) } as unknown as LaneBatch['batch']
  return { own: { lane, epoch: 1 }, batch }
}

/** Transactions that take some turns of the event loop. */
function database(fails: (lanes: readonly number[]) => boolean = () => false) {
  const seen = { inProgress: 0, most: 0, transactions: 0, ofOneLane: 0 }
  const busy = new Set<number>()
  const apply = async (work: readonly LaneBatch[]): Promise<Processed[]> => {
    const lanes = new Set(work.map(({ own }) => own.lane))
    for (const lane of lanes) if (busy.has(lane)) seen.ofOneLane++
    for (const lane of lanes) busy.add(lane)
    seen.most = Math.max(seen.most, ++seen.inProgress)
    seen.transactions++
    for (let turns = 0; turns < 5; turns++) await soon()
    seen.inProgress--
    for (const lane of lanes) busy.delete(lane)
    if (fails(work.map(({ own }) => own.lane))) throw new TallyError('LANE_FULL', 'no room')
    return work.map(({ batch }) => ({
      batch,
      fresh: [],
      refused: [],
      publish: [],
      calls: [],
      taken: 0,
      duplicates: 0,
      parked: 0,
    }))
  }
  return { seen, apply }
}

test.each([
  ['small batches', 1, false],
  ['batches large enough for a transaction of their own', 500, false],
  ['batches that must be alone', 1, true],
] as const)(
  'of 100 lanes with %s, no more transactions are in progress than connections allow',
  async (_, inputs, alone) => {
    const { seen, apply } = database()
    const groups = new BatchGroups(context, undefined, apply)
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 100 }, (_, lane) => groups.process(workOf(lane, inputs), alone)))
    }
    expect(seen.most).toBeLessThanOrEqual(3)
    expect(seen.most).toBeGreaterThan(0)
  },
)

test('batches of a group that failed are tried alone within the same bound', async () => {
  const { seen, apply } = database((lanes) => lanes.includes(7))
  const groups = new BatchGroups(context, undefined, apply)
  const settled = await Promise.allSettled(Array.from({ length: 100 }, (_, lane) => groups.process(workOf(lane, 1))))
  expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(1)
  expect(seen.transactions).toBe(101)
  expect(seen.most).toBeLessThanOrEqual(3)
})

test('what waits of one lane shares a transaction', async () => {
  const { seen, apply } = database()
  const groups = new BatchGroups(context, undefined, apply)
  const first = [1, 2, 3].map((lane) => groups.process(workOf(lane, 1)))
  await soon() // They are in progress now
  await Promise.all([...first, ...[1, 2, 3, 1].map((lane) => groups.process(workOf(lane, 1)))])
  expect(seen.transactions).toBe(2)
})

test('a source that keeps failing breaks no group', async () => {
  const poisoned = new Set<LaneBatch>()
  const { seen, apply } = database()
  const groups = new BatchGroups(context, undefined, async (work) => {
    const processed = await apply(work)
    if (work.some((each) => poisoned.has(each))) throw new TallyError('LANE_FULL', 'no room')
    return processed
  })
  const round = () => {
    const { own, batch } = workOf(1, 1)
    const poison = { own, batch: { ...batch, source: 'answer' } } as LaneBatch
    poisoned.add(poison)
    return Promise.allSettled([poison, ...[1, 2, 3].map((lane) => workOf(lane, 1))].map((work) => groups.process(work)))
  }
  await round()
  seen.transactions = 0
  await round()
  expect(seen.transactions).toBe(3) // The poison, the other lanes together, and what waited behind the poison
})

test.each([
  ['together', 1, false],
  ['in transactions of their own', 500, false],
  ['alone', 1, true],
] as const)('a lane has one transaction at a time, its batches %s', async (_, inputs, alone) => {
  const { seen, apply } = database()
  const groups = new BatchGroups(context, undefined, apply)
  const rounds = Array.from({ length: 20 }, async (_, round) => {
    for (let turns = 0; turns < round * 2; turns++) await soon()
    await Promise.all([1, 2, 1].map((lane) => groups.process(workOf(lane, inputs), alone && lane === 1)))
  })
  await Promise.all(rounds)
  expect(seen.ofOneLane).toBe(0)
})

test('batches of one lane whose group failed are tried one after the other', async () => {
  const { seen, apply } = database((lanes) => lanes.includes(7))
  const groups = new BatchGroups(context, undefined, apply)
  const settled = await Promise.allSettled([7, 7, 3, 3].map((lane) => groups.process(workOf(lane, 1))))
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled'])
  expect(seen).toMatchObject({ transactions: 5, ofOneLane: 0 })
})

test('batches that arrive within the time that the pace sets share a transaction; without it none waits', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] })
  const transactionsAt = async (ms: number) => {
    const { seen, apply } = database()
    const pace = new Pace(() => 0)
    jest.spyOn(pace, 'waitMs').mockReturnValue(ms)
    const groups = new BatchGroups(context, pace, apply)
    const sent = [1, 2, 3, 4].map((lane) => groups.process(workOf(lane, 1)))
    for (let turns = 0; turns < 8; turns++) await soon()
    sent.push(...[5, 6, 7, 8].map((lane) => groups.process(workOf(lane, 1))))
    jest.spyOn(pace, 'waitMs').mockReturnValue(0)
    jest.advanceTimersByTime(ms)
    await Promise.all(sent)
    return seen.transactions
  }
  expect(await transactionsAt(0)).toBe(2)
  expect(await transactionsAt(10)).toBe(1)
})
