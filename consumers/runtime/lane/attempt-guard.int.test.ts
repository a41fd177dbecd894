import { expect, test } from '@jest/globals'
import { takingTurns } from '../../../infra/promises.ts'
import type { Request, RequestProcessor } from '../batch/process-request.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { AttemptGuard } from './attempt-guard.ts'
import type { TimerInput } from '../model.ts'
import { countStart } from '../tables/lane-state.ts'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { countTable } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { TestBench } from '../testing/test-bench.ts'

/** A process that claims a lane. Unless the test ends or releases it, it counts as dead. */
async function start(
  { pool }: TestBench,
  lane = 0,
  inTurn = takingTurns(),
  process: RequestProcessor['process'] = async () => ({ done: [] }),
): Promise<AttemptGuard> {
  const own = { lane, epoch: await raiseEpoch(pool, lane, 'replica') }
  return new AttemptGuard({ pool, inTurn, processor: { process } }, own, await countStart(pool, own, true))
}

test('the input a process died of is found, and only that one', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const first = await start(bench)
  expect(first.limit).toBe(Number.POSITIVE_INFINITY)
  expect(await first.begin('orders/0', 100)).toBe(true)

  const second = await start(bench)
  expect(second.limit).toBe(1)
  expect(await second.begin('orders/0', 1)).toBe(true)
  await second.ended(1)
  expect(second.limit).toBe(2)
  expect(await second.begin('orders/1', 2)).toBe(true)

  const third = await start(bench) // One of two is the culprit: each is tried alone
  expect(await third.begin('orders/1', 1)).toBe(true)
  await third.ended(1)
  expect(third.limit).toBe(1)
  expect(await third.begin('orders/2', 1)).toBe(true)

  const fourth = await start(bench) // Something else may have ended the process: one more try
  expect(await fourth.begin('orders/2', 1)).toBe(true)

  const fifth = await start(bench)
  expect(await fifth.begin('orders/2', 1)).toBe(false)
  await fifth.ended(1)
  expect(await fifth.begin('orders/3', 1)).toBe(true)
})

test('a process that ended in order, or ended a batch, did not die of one', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  for (let times = 0; times < 3; times++) {
    const released = await start(bench)
    expect(released.limit).toBe(Number.POSITIVE_INFINITY)
    await released.released()
    const killed = await start(bench)
    expect(killed.limit).toBe(Number.POSITIVE_INFINITY)
    await killed.ended(100)
  }
})

test('careful lanes of one process take turns, so that one mark alone is found when it dies', async () => {
  await using bench = await openTestBench('tester', countTable, 2)
  const turns = takingTurns()
  let queued = 0
  const inTurn: typeof turns = (work) => {
    queued++
    return turns(work)
  }
  for (const lane of [0, 1]) await start(bench, lane)
  const happened: string[] = []
  const begun = Promise.withResolvers<void>()
  const first = await start(bench, 0, inTurn, async () => {
    happened.push('first begins')
    begun.resolve()
    await waitUntil('the second waits for its turn', () => queued === 2 || happened.includes('second'))
    happened.push('first ends')
    return { done: [] }
  })
  const second = await start(bench, 1, inTurn, async () => {
    happened.push('second')
    return { done: [] }
  })
  const request: Request = { source: 'timer', name: 'timer', items: [{ id: 'timer' } as TimerInput] }
  const firstEnds = first.process(request)
  await begun.promise
  const secondEnds = second.process(request)
  await Promise.all([firstEnds, secondEnds])
  expect(happened).toEqual(['first begins', 'first ends', 'second'])
})
