import { expect, test } from '@jest/globals'
import { takingTurns } from '../../../infra/promises.ts'
import { Relay } from '../../../producers/outbox/relay.ts'
import { BatchGroups } from '../batch/batch-groups.ts'
import { Caller } from './caller.ts'
import { Lane } from './lane.ts'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { FailureBreaker } from '../batch/failure-breaker.ts'
import { countTable, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

test('a fenced lane is not claimed again before the group confirms it', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const { sandbox, config, pool, codec } = bench
  const { kafka, namespace, log } = sandbox
  const relay = new Relay({ kafka, pool, namespace, log })
  const caller = new Caller({ calls: {}, pool, log })
  const owner = 'first'
  const groups = new BatchGroups({
    definition: tallyConsumer('tester'),
    pool,
    codec,
    breaker: new FailureBreaker(),
    policy: config.failure,
    owner,
    generation: 1,
  })
  const lane = new Lane(0, {
    group: 'tester',
    pool,
    codec,
    handled: new Set(['OrderPlaced']),
    partitions: 1,
    owner,
    generation: 1,
    groups,
    inTurn: takingTurns(),
    claims: (work) => work(),
    noting: (work) => work(),
    parkedLimit: config.failure.parkedLimit,
    relay,
    caller,
    log,
    stir() {},
    topicStarts: async () => [{ topic: 'orders', low: 0 }],
    readOn() {},
    pauseFetching() {},
  })
  try {
    await lane.claimed
    expect(lane.phase).toBe('live')
    await raiseEpoch(pool, 0, 'second')
    const hole = { source: 'record', name: 'orders/0', items: [], from: 0, to: 1, again: false } as const
    const processed = await lane.serially(() => lane.process({ ...hole, topic: 'orders', partition: 0 }))
    expect(processed).toBe(false)
    expect(lane.phase).toBe('fenced')
    const { rows } = await pool.query('select owner, epoch::int from lane')
    expect(rows).toEqual([{ owner: 'second', epoch: 2 }])
  } finally {
    await lane.drop()
    caller.stop()
    await relay.stop()
  }
})
