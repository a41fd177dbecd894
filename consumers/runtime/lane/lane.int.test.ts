import { expect, test } from '@jest/globals'
import { takingTurns } from '../../../infra/promises.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { Relay } from '../../../producers/outbox/relay.ts'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { BatchGroups } from '../batch/batch-groups.ts'
import { FailureBreaker } from '../batch/failure-breaker.ts'
import type { Request } from '../batch/process-request.ts'
import { countTable, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import { Caller } from './caller.ts'
import { Lane } from './lane.ts'
import type { LaneContext } from './lane-context.ts'

const owner = 'first'
const hole = { source: 'record', name: 'orders/0', items: [], from: 0, to: 1, again: false } as const
const passing: Request = { ...hole, topic: 'orders', partition: 0 }

/** A live lane with real tables; `groups` may replace what processes its batches. */
async function openLane(groups?: LaneContext['groups']) {
  const bench = await openTestBench('tester', countTable, 1)
  const { sandbox, config, pool, codec } = bench
  const { kafka, namespace, log } = sandbox
  const relay = new Relay({ kafka, pool, namespace, log })
  const caller = new Caller({ calls: {}, pool, log })
  const definition = tallyConsumer('tester')
  const { failure: policy } = config
  const lane = new Lane(0, {
    ...{ group: 'tester', pool, codec, handled: new Set(['OrderPlaced']), partitions: 1, owner, generation: 1 },
    groups:
      groups ??
      new BatchGroups({ definition, pool, codec, breaker: new FailureBreaker(), policy, owner, generation: 1 }),
    inTurn: takingTurns(),
    claims: (work) => work(),
    noting: (work) => work(),
    parkedLimit: policy.parkedLimit,
    ...{ relay, caller, log },
    stir() {},
    topicStarts: async () => [{ topic: 'orders', low: 0 }],
    readOn() {},
    pauseFetching() {},
  })
  await lane.claimed
  return {
    lane,
    pool,
    async [Symbol.asyncDispose]() {
      await lane.drop()
      caller.stop()
      await relay.stop()
      await bench[Symbol.asyncDispose]()
    },
  }
}

test('a fenced lane is not claimed again before the group confirms it', async () => {
  await using opened = await openLane()
  const { lane, pool } = opened
  expect(lane.phase).toBe('live')
  await raiseEpoch(pool, 0, 'second')
  expect(await lane.turns.alone(() => lane.process(passing))).toBe(false)
  expect(lane.phase).toBe('fenced')
  const { rows } = await pool.query('select owner, epoch::int from lane')
  expect(rows).toEqual([{ owner: 'second', epoch: 2 }])
})

test.each([
  ['fails', (outcome: PromiseWithResolvers<never>) => outcome.reject(new Error('of the former ownership'))],
  ['took effect', (outcome: PromiseWithResolvers<never>) => outcome.resolve(took as never)],
])('what ends after its lane claimed itself again, and %s, does not touch the new ownership', async (_, end) => {
  const late = Promise.withResolvers<never>()
  const process = async ({ batch }: { batch: { source: string } }) => {
    if (batch.source === 'record') return late.promise
    throw new Error('this one fails at once')
  }
  await using opened = await openLane({ process })
  const { lane } = opened
  const records = lane.turns.beside('orders', () => lane.process(passing))
  const answers = lane.turns.beside('answer', () => lane.process({ source: 'answer', name: 'a', items: [] }))
  expect(await answers).toBe(false)
  await waitUntil('the lane has claimed itself again', () => lane.phase === 'live' && lane.epoch === 2)
  end(late)
  expect(await records).toBe(false)
  expect(lane).toMatchObject({ phase: 'live', epoch: 2 })
  expect(lane.position('orders')).toBe(0)
})

const took = {
  batch: { source: 'record', inputs: [], move: { topic: 'orders', from: 0, to: 1, ignored: 0, holes: 1 } },
  ...{ fresh: [], refused: [], publish: [], calls: [], taken: 0, duplicates: 0, parked: 0 },
}
