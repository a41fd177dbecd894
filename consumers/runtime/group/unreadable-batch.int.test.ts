import { expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { counts } from '../testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { TestBench } from '../testing/test-bench.ts'

const lanes = 3
const broken = 1

async function publishTooMany({ sandbox: { kafka, namespace } }: TestBench): Promise<void> {
  const producer = kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: 250_001 }, () => ({ value: 'v', partition: broken }))
  await producer.send({ topic: `${namespace}orders`, compression: kafkajs.CompressionTypes.GZIP, messages })
  await producer.disconnect()
}

test('a batch that cannot be read stops its lane, which says how to pass it; other lanes continue', async () => {
  await using bench = await openTestBench('tester', countTable, lanes)
  const before = orders(12)
  await bench.publish(before)
  await publishTooMany(bench)
  await bench.replica(tallyConsumer('tester'))
  const stopped = async () =>
    (
      await bench.pool.query<{ lane: number; reason: string }>(
        `select lane, reason from lane_state where phase = 'stopped'`,
      )
    ).rows
  await waitUntil('the lane has stopped', async () => (await stopped()).length > 0)
  const at = before.filter(({ data }) => laneOf(data.orderId, lanes) === broken).length
  const place = `orders/${broken}`
  const why = `The record batch at offset ${at} has 250001 records, too many to hold`
  const pass = `npm run lanes -- skip tester/${broken} --offsets ${place}:${at}-${at + 250_000} --why "damaged"`
  expect(await stopped()).toEqual([{ lane: broken, reason: `${place}@${at}: ${why}; to pass it: ${pass}` }])

  const after = orders(12)
  await bench.publish(after)
  const readable = [...before, ...after.filter(({ data }) => laneOf(data.orderId, lanes) !== broken)]
  await waitUntil('all other events are handled', async () => (await counts(bench)).size === readable.length)
  const found = await counts(bench)
  expect(readable.map(({ data }) => found.get(data.orderId)?.placed)).toEqual(readable.map(() => 1))
})
