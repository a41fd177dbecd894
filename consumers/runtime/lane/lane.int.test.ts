import { expect, test } from '@jest/globals'
import { takingTurns } from '../../../infra/taking-turns.ts'
import { Relay } from '../../../producers/outbox/relay.ts'
import { BatchGroups } from '../batch/batch-groups.ts'
import { Caller } from './caller.ts'
import type { Batch } from '../model.ts'
import { Lane } from './lane.ts'
import { raiseEpoch } from '../tables/ledger.ts'
import { FailureBreaker } from '../batch/failure-breaker.ts'
import { countTable, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

test('a lane that somebody else took is not taken back before the group says so', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const { sandbox, config, pool, codec } = bench
  const { kafka, namespace, log } = sandbox
  const relay = new Relay({ kafka, pool, namespace, log })
  const caller = new Caller({ calls: {}, pool, log })
  const taking = {
    definition: tallyConsumer('tester'),
    pool,
    codec,
    breaker: new FailureBreaker(),
    policy: config.failure,
    owner: 'first',
    generation: 1,
  }
  const lane = new Lane(0, {
    ...taking,
    groups: new BatchGroups(taking),
    inTurn: takingTurns(),
    relay,
    caller,
    log,
    topicStarts: async () => [{ topic: 'orders', low: 0 }],
    readOn() {},
    pauseFetching() {},
  })
  try {
    await lane.claimed
    expect(lane.phase).toBe('live')
    await raiseEpoch(pool, 0, 'second')
    const move = { topic: 'orders', from: 0, to: 1, ignored: 1, holes: 0 }
    const read = async (): Promise<Batch> => ({ source: 'record', inputs: [], move })
    expect(await lane.serially(() => lane.take({ name: 'orders/0', inputs: 1, read }))).toBe(false)
    expect(lane.phase).toBe('fenced')
    const { rows } = await pool.query('select owner, epoch::int from lane')
    expect(rows).toEqual([{ owner: 'second', epoch: 2 }])
  } finally {
    await lane.drop()
    caller.stop()
    await relay.stop()
  }
})
