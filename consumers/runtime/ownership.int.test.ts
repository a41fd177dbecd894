import { expect, test } from '@jest/globals'
import { appendOutbox } from '../../producers/outbox/outbox-table.ts'
import { batchOf } from '../../producers/outbox/testing/stored-events.ts'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { claimLane } from './lane/claim-lane.ts'
import { lockLane, raiseEpoch } from '../../producers/outbox/lane-table.ts'
import { moveLedger, openLedger } from './tables/ledger.ts'
import { FailureBreaker } from './batch/failure-breaker.ts'
import { processBatches } from './batch/process-batch.ts'
import { counts, ledgerSums, published } from './testing/observe.ts'
import { countTable, orderPlaced, orders, tallyConsumer } from './testing/tally-consumer.ts'
import { openTestBench } from './testing/test-bench.ts'
import type { TestBench } from './testing/test-bench.ts'
import type { Ownership } from './model.ts'

const group = 'tester'
const open = () => openTestBench(group, countTable)
const contextOf = ({ pool, codec, config }: TestBench) => ({
  definition: tallyConsumer(group),
  pool,
  codec,
  breaker: new FailureBreaker(),
  policy: config.failure,
  owner: 'first',
  generation: 1,
})

/** Processes offsets without events for the group. */
const processRange = (
  bench: TestBench,
  own: Ownership,
  from: number,
  to: number,
  found = { ignored: to - from, holes: 0 },
) =>
  processBatches(contextOf(bench), [
    { own, batch: { source: 'record', inputs: [], move: { topic: 'orders', from, to, ...found } } },
  ])

test('an owner with an older epoch is refused', async () => {
  await using bench = await open()
  const own = { lane: 0, epoch: await raiseEpoch(bench.pool, 0, 'first') }
  await openLedger(bench.pool, own, [{ topic: 'orders', low: 0 }])
  await raiseEpoch(bench.pool, 0, 'second')
  const process = processRange(bench, own, 0, 1)
  await expect(process).rejects.toMatchObject({ code: 'FENCED' })
  await expect(raiseEpoch(bench.pool, 0, 'first', own.epoch)).rejects.toMatchObject({ code: 'FENCED' })
})

test('a batch that does not begin where the ledger stands is refused', async () => {
  await using bench = await open()
  const own = { lane: 0, epoch: await raiseEpoch(bench.pool, 0, 'first') }
  await openLedger(bench.pool, own, [{ topic: 'orders', low: 0 }])
  const process = (from: number, to: number) => processRange(bench, own, from, to)
  await process(0, 5)
  await expect(process(3, 8)).rejects.toMatchObject({ code: 'INVARIANT' })
  await expect(process(7, 8)).rejects.toMatchObject({ code: 'INVARIANT' })
  await process(5, 8)
  expect(await ledgerSums(bench)).toMatchObject({ ignored: 8, offsets: 8 })
})

test('a batch that does not account for every offset is refused', async () => {
  await using bench = await open()
  const own = { lane: 0, epoch: await raiseEpoch(bench.pool, 0, 'first') }
  await openLedger(bench.pool, own, [{ topic: 'orders', low: 0 }])
  const process = processRange(bench, own, 0, 5, { ignored: 3, holes: 1 })
  await expect(process).rejects.toMatchObject({ constraint: 'ledger_check' })
})

test('a new owner waits for the transaction of the old owner and begins after it', async () => {
  await using bench = await open()
  const { pool, sandbox } = bench
  const own = { lane: 0, epoch: await raiseEpoch(pool, 0, 'first') }
  await openLedger(pool, own, [{ topic: 'orders', low: 0 }])
  const claiming = await inTransaction(pool, async (tx) => {
    await lockLane(tx, own)
    const topicStarts = async () => [{ topic: 'orders', low: 0 }]
    const options = { heldEpoch: undefined, counts: true, wanted: () => true }
    const claim = claimLane({ pool, owner: 'second', generation: 1, topicStarts, claims: (work) => work() }, 0, options)
    await waitUntil('the new owner waits', async () => {
      const { rowCount } = await sandbox.pool.query(
        `select from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
        [`test ${sandbox.namespace}${group}`],
      )
      return rowCount === 1
    })
    const move = { own, topic: 'orders', from: 0, to: 5, ignored: 5, holes: 0, taken: 0, duplicates: 0, parked: 0 }
    await moveLedger(tx, [move])
    return { claim } // Not awaited here: it waits for our commit
  })
  expect((await claiming.claim)?.positions).toEqual(new Map([['orders', { offset: 5 }]]))
})

test('the next owner publishes and calls what an owner only committed', async () => {
  await using bench = await open()
  const { data } = orderPlaced('o-left', 'asks')
  await bench.publish([{ type: 'OrderPlaced', data }])
  // A replica killed between commit and publishing leaves rows in outbox and call
  const first = await bench.replica(tallyConsumer(group, () => Promise.reject(new Error('down'))))
  await waitUntil('the call waits', async () => (await bench.pool.query('select 1 from call')).rowCount === 1)
  await first.stop()
  await inTransaction(bench.pool, async (tx) => {
    const { rows } = await tx.query<{ lane: number; next_seq: number }>(
      'select lane, next_seq from lane where next_seq > 1',
    )
    const [{ lane, next_seq: seq } = { lane: 0, next_seq: 0 }] = rows
    const value = bench.codec.encode('StockReleased', {
      orderId: data.orderId,
      lines: [{ sku: 'A', quantity: 1 }],
      releasedAt: Date.now(),
    })
    await appendOutbox(tx, [batchOf(lane, seq, { topic: 'inventory', key: data.orderId, value })])
    await tx.query('update lane set next_seq = next_seq + 1 where lane = $1', [lane])
  })
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect((await counts(bench)).get('o-left')).toMatchObject({ placed: 1, answered: 1 })
  expect(await published(bench, 'inventory')).toHaveLength(3)
})

test('a database without disk space parks nothing', async () => {
  await using bench = await openTestBench(group, countTable, 1)
  await bench.pool.query(`
    create sequence met;
    create function trouble() returns trigger language plpgsql as $$
    begin
      perform nextval('met'); -- Counts although the transaction fails
      raise 'no room' using errcode = 'disk_full';
    end $$;
    create trigger trouble before insert on count execute function trouble()`)
  await bench.publish(orders(10))
  await bench.replica(tallyConsumer(group))
  await waitUntil('it has been tried several times', async () => {
    const { rows } = await bench.pool.query<{ times: number }>('select last_value::int as times from met')
    return (rows[0]?.times ?? 0) >= 5
  })
  await bench.pool.query('drop trigger trouble on count')
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 10, parked: 0 })
})

test.each([
  ['back', 'low'],
  ['ahead', 'high'],
] as const)('a group moved %s by hand in Kafka still reads on from its ledger', async (_direction, end) => {
  await using bench = await open()
  await bench.publish(orders(20))
  const first = await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  await first.stop()
  await bench.publish(orders(10))
  const admin = bench.sandbox.kafka.admin()
  await admin.connect()
  const topic = `${bench.sandbox.namespace}orders`
  const ends = await admin.fetchTopicOffsets(topic)
  await admin.setOffsets({
    groupId: `${bench.sandbox.namespace}${group}`,
    topic,
    partitions: ends.map(({ partition, [end]: offset }) => ({ partition, offset })),
  })
  await admin.disconnect()
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 30, duplicates: 0, offsets: 30 })
})

test('records deleted before the group read them stop the lane', async () => {
  await using bench = await openTestBench(group, countTable, 1)
  await bench.publish(orders(5))
  const first = await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  await first.stop()
  await bench.publish(orders(5))
  const admin = bench.sandbox.kafka.admin()
  await admin.connect()
  const topic = `${bench.sandbox.namespace}orders`
  const [end] = await admin.fetchTopicOffsets(topic)
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(Number(end?.high) - 2) }] })
  await admin.disconnect()
  await bench.replica(tallyConsumer(group))
  const reason = await waitUntil('the lane stops', async () => {
    const { rows } = await bench.pool.query<{ reason: string }>(`select reason from lane_state where phase = 'stopped'`)
    return rows[0]?.reason
  })
  expect(reason).toContain('records from offset 5 to 7 were deleted')
  expect(await ledgerSums(bench)).toMatchObject({ taken: 5, offsets: 5 })
})

test('a topic deleted and created again stops its lanes, also while a replica runs', async () => {
  await using bench = await open()
  await bench.publish(orders(9))
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  const { kafka, namespace } = bench.sandbox
  const admin = kafka.admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [`${namespace}orders`] })
  await waitUntil('the topic is created again', () =>
    admin.createTopics({ waitForLeaders: false, topics: [{ topic: `${namespace}orders`, numPartitions: 3 }] }),
  )
  await admin.disconnect()
  // More events than before, so that the old position exists again
  await waitUntil('the new topic accepts events', () => bench.publish(orders(40)).then(() => true))
  const second = await bench.replica(tallyConsumer(group))
  await waitUntil('lanes were claimed by the second replica', async () => {
    const { rows } = await bench.pool.query<{ most: number }>('select max(epoch)::int as most from lane')
    return (rows[0]?.most ?? 0) >= 2
  })
  // A lane may have processed some new events before the topic's new id was known; now all lanes are stopped
  await bench.publish(orders(40))
  await waitUntil('no lane continues', async () => {
    const { rows } = await bench.pool.query<{ phase: string }>('select phase from lane_state')
    return rows.length === 3 && rows.every(({ phase }) => phase === 'stopped')
  })
  const before = await ledgerSums(bench)
  await bench.publish(orders(40))
  await second.stop()
  expect(await ledgerSums(bench)).toEqual(before)
})
