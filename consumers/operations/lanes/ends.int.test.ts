import { expect, test } from '@jest/globals'
import type { Transaction } from 'kafkajs'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { topicOf } from '../../../schemas/topics.ts'
import { ledgerSums } from '../../runtime/testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../runtime/testing/test-bench.ts'
import { readGroupAccount } from '../group-account.ts'
import type { Group } from '../groups.ts'
import { tilingFaults } from '../tiling.ts'
import { acceptLoss, findLosses, readBrokerState } from './accept-loss.ts'

const by = { actor: 'ann', why: 'kept for too short a time' }

function groupOf({ sandbox: { namespace } }: TestBench): Group {
  const topics = new Set([topicOf('OrderPlaced').name])
  return { name: 'tester', schema: `"${namespace}tester"`, handles: new Set(['OrderPlaced']), begins: 'first', topics }
}

/** Sends records that are no events in a transaction, one to each partition, and ends it. */
async function inKafkaTransaction(
  { sandbox: { kafka, namespace } }: TestBench,
  partitions: readonly number[],
  end: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  const producer = kafka.producer({
    transactionalId: `${namespace}tx`,
    maxInFlightRequests: 1,
    idempotent: true,
    allowAutoTopicCreation: false,
  })
  await producer.connect()
  const transaction = await producer.transaction()
  const messages = partitions.map((partition) => ({ key: 'aborted', value: 'never', partition }))
  await transaction.send({ topic: `${namespace}orders`, messages })
  await end(transaction)
  await producer.disconnect()
}
const abort = (transaction: Transaction) => transaction.abort()

const account = async (bench: TestBench) => {
  const { ledger, skipped, beginnings } = await readGroupAccount(bench.pool, groupOf(bench))
  const offsets = await withAdmin(bench.sandbox.kafka, (admin) =>
    admin.fetchTopicOffsets(`${bench.sandbox.namespace}orders`),
  )
  const faults = offsets.flatMap(({ partition, low, high }) => {
    const place = `orders/${partition}`
    const range = { low: Number(low), end: Number(high) }
    return tilingFaults(place, ledger.get(place) ?? [], range, beginnings.get(place))
  })
  return { faults, skipped }
}

const stopReason = (bench: TestBench) =>
  waitUntil(
    'the lane stops',
    async () => {
      const { rows } = await bench.pool.query<{ reason: string }>(
        `select reason from lane_state where phase = 'stopped'`,
      )
      return rows[0]?.reason
    },
    { withinMs: 90_000 },
  )

/** The broker tells the end of a topic before it has written the markers of a transaction, so `settled` ends too early. */
const ledgerReaches = (bench: TestBench, offsets: number) =>
  waitUntil(`the ledger accounts for ${offsets} offsets`, async () => {
    const sums = await ledgerSums(bench)
    if (sums?.offsets === offsets) return true
    throw new Error(JSON.stringify(sums))
  })

test('an aborted transaction at the end of several partitions moves the ledger, also while no replica ran', async () => {
  await using bench = await openTestBench('tester', countTable, 3)
  await bench.publish(orders(9))
  const replica = await bench.replica(tallyConsumer('tester'))
  await bench.settled(['orders'])
  await inKafkaTransaction(bench, [0, 1, 2], abort)
  await ledgerReaches(bench, 15) // Six offsets of aborted records and markers, and no record behind them
  expect(await ledgerSums(bench)).toMatchObject({ taken: 9, ignored: 0, parked: 0 })
  await replica.stop()
  await inKafkaTransaction(bench, [1], abort)
  await bench.replica(tallyConsumer('tester'))
  await ledgerReaches(bench, 17)
  await bench.publish(orders(9, 'later'))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 18, ignored: 0, offsets: 26 })
  expect(await account(bench)).toEqual({ faults: [], skipped: [] })
})

test('records deleted up to the end stop the lane without a further record; their loss can be accepted', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const group = groupOf(bench)
  await bench.publish(orders(5))
  const first = await bench.replica(tallyConsumer('tester'))
  await bench.settled(['orders'])
  await first.stop()
  await bench.publish(orders(6, 'lost'))
  await withAdmin(bench.sandbox.kafka, async (admin) => {
    const topic = `${bench.sandbox.namespace}orders`
    await admin.fetchTopicOffsets(topic) // kafkajs deletes in topics it has heard of only
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '11' }] })
  })
  await bench.replica(tallyConsumer('tester'))
  expect(await stopReason(bench)).toMatch(
    /offset 5 to 10 were deleted before this group read them; .*npm run lanes -- accept-loss tester\/0 --why/,
  )
  const broker = await readBrokerState(bench.config, ['orders'])
  const loss = { topic: 'orders', partition: 0, cause: 'deleted', position: 5, unread: 6, resumeAt: 11 }
  expect(await findLosses(bench.pool, group, 0, broker)).toEqual([loss])
  const both = await Promise.all([1, 2].map(() => acceptLoss(bench.pool, group, 0, broker, by)))
  expect(both.toSorted((a, b) => a.length - b.length)).toEqual([[], [loss]])
  expect(await acceptLoss(bench.pool, group, 0, broker, by)).toEqual([])
  await bench.publish(orders(4, 'after'))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 9, offsets: 15 })
  expect(await account(bench)).toEqual({
    faults: [],
    skipped: [{ topic: 'orders', partition: 0, from: 5, to: 11, cause: 'deleted', ...by, at: expect.any(Date) }],
  })
})

test('after a topic was created again, the same replica goes on once the loss is accepted', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const group = groupOf(bench)
  await bench.publish(orders(9))
  await bench.replica(tallyConsumer('tester'))
  await bench.settled(['orders'])
  const topic = `${bench.sandbox.namespace}orders`
  await withAdmin(bench.sandbox.kafka, async (admin) => {
    await admin.deleteTopics({ topics: [topic] })
    await waitUntil('the topic is created again', () =>
      admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1 }] }),
    )
  })
  expect(await stopReason(bench)).toContain('npm run lanes -- accept-loss tester/0')
  await waitUntil('the new topic accepts events', () => bench.publish(orders(4, 'new')).then(() => true))
  const broker = await readBrokerState(bench.config, ['orders'])
  const loss = { topic: 'orders', partition: 0, cause: 'recreated', position: 9, unread: undefined, resumeAt: 0 }
  expect(await acceptLoss(bench.pool, group, 0, broker, by)).toEqual([loss])
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 13, offsets: 13 })
  expect(await account(bench)).toEqual({
    faults: [],
    skipped: [
      { topic: 'orders', partition: 0, from: 9, to: 9, cause: 'recreated', resumeAt: 0, ...by, at: expect.any(Date) },
    ],
  })
})
