import { expect, test } from '@jest/globals'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { openLedger } from '../tables/ledger.ts'
import { countTable, orderPlaced, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import { BatchGroups } from './batch-groups.ts'
import { FailureBreaker } from './failure-breaker.ts'
import { readRecords } from './read-records.ts'

const lanes = 100

test('100 lanes, each in its own transactions of 0.3 s, wait for their turn and not for a connection', async () => {
  await using bench = await openTestBench('tester', countTable)
  const { pool, codec, config } = bench
  const consumer = tallyConsumer('tester')
  const load: typeof consumer.state.load = async (tx, keys) => {
    await tx.query('select pg_sleep(0.3)')
    return consumer.state.load(tx, keys)
  }
  const definition = { ...consumer, state: { ...consumer.state, load } }
  const breaker = new FailureBreaker()
  const groups = new BatchGroups({
    ...{ definition, pool, codec, breaker, policy: config.failure, owner: 'replica', generation: 1 },
  })
  const work = []
  for (let lane = 0; lane < lanes; lane++) {
    const own = { lane, epoch: await raiseEpoch(pool, lane, 'replica') }
    await openLedger(pool, own, [{ topic: 'orders', low: 0 }])
    const { type, data } = orderPlaced(`order-${lane}`)
    const value = codec.encode(type, data)
    const time = Date.now()
    const subject = data.orderId
    const headers = toHeaders({ id: newEventId(), type, source: '/test', time, subject, correlationId: subject })
    const record = { key: Buffer.from(subject), value, headers, timestamp: String(time), attributes: 0, offset: '0' }
    const handled = new Set(['OrderPlaced'] as const)
    const options = { codec, handled, partitions: 1, topic: 'orders', partition: 0 }
    work.push({ own, batch: await readRecords([record], 0, 1, options) })
  }
  // 100 x 0.3 s over 5 connections: the last batch begins long after a wait for a connection would have ended
  const processed = await Promise.all(work.map((each) => groups.process(each, true)))
  expect(processed.reduce((sum, { taken }) => sum + taken, 0)).toBe(lanes)
})
