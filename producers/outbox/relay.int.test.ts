import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import type { PackedRecords } from '../../infra/kafka/patches/produce/packed-records.ts'
import kafkajs from 'kafkajs'
import type { Kafka, ProducerBatch, ProducerConfig } from 'kafkajs'
import { countTable } from '../../consumers/runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../consumers/runtime/testing/test-bench.ts'
import type { TestBench } from '../../consumers/runtime/testing/test-bench.ts'
import { readTopic } from '../../infra/testing/read-topic.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import type { Tx } from '../../infra/postgres/transaction.ts'
import { laneOf } from '../../schemas/partition.ts'
import { joinByTopic } from './outbox-batch.ts'
import type { OutboxBatch } from './outbox-batch.ts'
import { batchOf, readEvents } from './testing/stored-events.ts'
import { appendOutbox, removePublished } from './outbox-table.ts'
import { Relay } from './relay.ts'

const keyOfLane = (lane: number) => {
  for (let n = 0; ; n++) if (laneOf(`key-${n}`, 3) === lane) return `key-${n}`
}
const row = (lane: number, seq: number, bytes: number): OutboxBatch =>
  batchOf(lane, seq, { key: keyOfLane(lane), value: randomBytes(bytes) })

/** Events of one size in one row. */
const rowOf = (lane: number, from: number, to: number, bytes: number): OutboxBatch => {
  const [whole] = joinByTopic(Array.from({ length: to - from + 1 }, (_, index) => row(lane, from + index, bytes)))
  return { ...row(lane, from, 0), ...whole!, first: from, last: to }
}

const relayOf = ({ sandbox: { kafka, namespace, log }, pool }: TestBench) => new Relay({ kafka, pool, namespace, log })
const left = async ({ pool }: TestBench) =>
  (await pool.query<{ lane: number }>('select distinct lane from outbox_batch order by lane')).rows.map(
    ({ lane }) => lane,
  )

test('what the table holds is published in order and deleted', async () => {
  await using bench = await openTestBench('relay', countTable)
  await appendOutbox(
    bench.pool,
    [0, 1, 2].flatMap((lane) => Array.from({ length: 700 }, (_, n) => row(lane, n + 1, 10))),
  )
  const relay = relayOf(bench)
  for (const lane of [0, 1, 2]) relay.open(lane)
  await waitUntil('the outbox is empty', async () => (await left(bench)).length === 0)
  await relay.stop()
  const records = await readTopic(bench.sandbox.kafka, `${bench.sandbox.namespace}orders`)
  for (const lane of [0, 1, 2]) {
    const sequences = records
      .filter(({ partition }) => partition === lane)
      .map(({ headers }) => Number(headers?.['ce_sequence']))
    expect(sequences).toEqual(Array.from({ length: 700 }, (_, n) => n + 1))
  }
})

test('a request holds 16 MB of all lanes at most, and a row of each lane is published', async () => {
  const lanes = 40
  await using bench = await openTestBench('relay', countTable, lanes)
  const { kafka, namespace, log } = bench.sandbox
  await appendOutbox(
    bench.pool,
    Array.from({ length: lanes }, (_, lane) => ({ ...row(0, 1, 900_000), lane })),
  )
  const requests: number[] = []
  const measured = Object.assign(Object.create(kafka) as Kafka, {
    producer: (config?: ProducerConfig) => {
      const producer = kafka.producer(config)
      return {
        ...producer,
        sendBatch: (batch: ProducerBatch) => (requests.push(bytesOf(batch)), producer.sendBatch(batch)),
      }
    },
  })
  const relay = new Relay({ kafka: measured, pool: bench.pool, namespace, log })
  for (let lane = 0; lane < lanes; lane++) relay.open(lane)
  await waitUntil('the outbox is empty', async () => (await left(bench)).length === 0)
  await relay.stop()
  expect(requests.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(lanes * 900_000)
  expect(Math.max(...requests)).toBeLessThanOrEqual(16 * 2 ** 20 + 900_000)
})

/** Of requests with one record for each partition. */
const bytesOf = ({ topicMessages = [] }: ProducerBatch): number =>
  topicMessages
    .flatMap(({ messages }) => messages as { packed?: PackedRecords }[])
    .reduce((sum, { packed }) => sum + (packed?.records.length ?? 0), 0)

test('a row the broker refuses holds up its own lane only', async () => {
  await using bench = await openTestBench('relay', countTable)
  const admin = bench.sandbox.kafka.admin()
  await admin.connect()
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: `${bench.sandbox.namespace}orders`,
        configEntries: [{ name: 'max.message.bytes', value: '2000' }],
      },
    ],
  })
  await admin.disconnect()
  await appendOutbox(bench.pool, [
    row(0, 1, 5_000),
    row(0, 2, 10),
    rowOf(1, 1, 4, 1_200), // Each fits, together they do not
    row(2, 1, 10),
  ])
  const relay = relayOf(bench)
  for (const lane of [0, 1, 2]) relay.open(lane)
  await waitUntil('the other lanes are published', async () => (await left(bench)).join() === '0')
  await relay.stop()
  expect((await readEvents(bench.pool)).map(({ seq }) => seq)).toEqual([1, 2])
})

test('rows that could not be deleted leave with the next rows of their lane', async () => {
  await using bench = await openTestBench('relay', countTable)
  const { pool } = bench
  await pool.query(
    'create function refuse() returns trigger language plpgsql as $$ begin raise exception $m$not now$m$; end $$',
  )
  await pool.query('create trigger refuse before delete on outbox_batch for each statement execute function refuse()')
  await appendOutbox(pool, [row(0, 1, 10), row(0, 2, 10)])
  const relay = relayOf(bench)
  const feed = relay.open(0)
  await waitUntil('the rows are published', () => Promise.resolve(feed.idle))
  await relay.flush(10_000)
  expect(await left(bench)).toHaveLength(1)
  await pool.query('drop trigger refuse on outbox_batch')
  await appendOutbox(pool, [row(0, 3, 10)])
  feed.poke()
  await waitUntil('all rows have left', async () => {
    const { rows } = await pool.query('select from outbox_batch')
    return rows.length === 0
  })
  await relay.stop()
})

test('removing rows does not visit the index entries of rows removed before', async () => {
  await using bench = await openTestBench('relay', countTable)
  const { pool } = bench
  await pool.query('alter table outbox_batch set (autovacuum_enabled = false)')
  const many = 20_000
  await pool.query(
    `insert into outbox_batch select 0, seq, seq, 'orders', 0, 1, 'x' from generate_series(1, $1 + 1) as seq`,
    [many],
  )
  await removePublished(pool, new Map([[0, { first: 1, last: many }]]))
  const plans: { Plan: Record<string, number> }[] = []
  const explaining = {
    query: async ({ text, values }: { text: string; values: unknown[] }) => {
      const { rows } = await pool.query(`explain (analyze, buffers, format json) ${text}`, values)
      plans.push(rows[0]['QUERY PLAN'][0])
      return { rows: [] }
    },
  }
  await removePublished(explaining as unknown as Tx, new Map([[0, { first: many + 1, last: many + 1 }]]))
  const blocks = (name: string) => plans[0]?.Plan[`Shared ${name} Blocks`] ?? 0
  expect(blocks('Hit') + blocks('Read')).toBeLessThan(30)
})

test('rows leave up to the number the broker has, in their own lane', async () => {
  await using bench = await openTestBench('relay', countTable)
  await appendOutbox(bench.pool, [row(0, 1, 10), row(0, 2, 10), rowOf(0, 3, 5, 10), row(1, 1, 10)])
  await removePublished(bench.pool, new Map([[0, { first: 1, last: 4 }]]))
  expect((await readEvents(bench.pool)).map(({ lane, seq }) => [lane, seq])).toEqual([
    ...[3, 4, 5].map((seq) => [0, seq]), // A row leaves as a whole
    [1, 1],
  ])
})
