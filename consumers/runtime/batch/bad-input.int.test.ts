import { expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { whyReplaced } from '../../../infra/kafka/patches/fetch/replaced-value.ts'
import { restoreHeaders } from '../tables/parked-row.ts'
import type { StoredHeaders } from '../tables/parked-row.ts'
import { fuzzCorpus } from '../testing/fuzz-corpus.ts'
import type { FuzzCase } from '../testing/fuzz-corpus.ts'
import { counts, ledgerSums } from '../testing/observe.ts'
import { countTable, orderPlaced, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { TestBench } from '../testing/test-bench.ts'

const group = 'tester'
const partitions = 3
/** No retries and no parking limit: these tests check the first result of each record. */
const settings = { TALLY_RETRY_LIMIT: '0', TALLY_PARKED_LIMIT: '5000' }

interface Placed {
  readonly fuzz?: FuzzCase
  readonly orderId: string
  readonly place: string
}

type Message = { fuzz?: FuzzCase; orderId: string; partition: number } & Pick<
  FuzzCase,
  'key' | 'value' | 'headers' | 'timestamp'
>

/** Bad records with a good one before each, in the same partition and batch. */
function interleave({ codec }: TestBench, corpus: readonly FuzzCase[]): Message[] {
  return corpus.flatMap((fuzz) => {
    const key = fuzz.key === null ? fuzz.orderId : String(fuzz.key)
    const partition = laneOf(fuzz.becomes === 'taken' ? fuzz.orderId : key, partitions)
    const good = neighbour(partition)
    const headers = toHeaders({
      id: newEventId(),
      type: 'OrderPlaced',
      source: '/test',
      time: Date.now(),
      subject: good.orderId,
      correlationId: good.orderId,
    })
    return [
      { orderId: good.orderId, partition, key: good.orderId, value: codec.encode('OrderPlaced', good), headers },
      { fuzz, ...fuzz, partition },
    ]
  })
}

function neighbour(partition: number) {
  for (;;) {
    const { data } = orderPlaced(newEventId())
    if (laneOf(data.orderId, partitions) === partition) return data
  }
}

/** Writes batches of about `size` records, each compressed differently by the broker. */
async function publish({ sandbox: { kafka, namespace } }: TestBench, messages: readonly Message[], size = 40) {
  const topic = `${namespace}orders`
  const placed: Placed[] = []
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const kinds = ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd']
  for (let start = 0; start < messages.length; start += size) {
    const kind = kinds.shift()!
    kinds.push(kind)
    await configure(kafka, topic, { 'compression.type': kind })
    for (const batch of byBytes(messages.slice(start, start + size))) {
      const next = new Map<number, number>()
      const sent = await producer.send({
        topic,
        messages: batch.map(({ key, value, headers, timestamp, partition }) => ({
          key,
          value,
          headers,
          timestamp,
          partition,
        })),
      })
      for (const { partition, baseOffset } of sent) next.set(partition, Number(baseOffset))
      for (const { fuzz, orderId, partition } of batch) {
        const offset = next.get(partition)!
        next.set(partition, offset + 1)
        placed.push({ fuzz, orderId, place: `${partition}/${offset}` })
      }
    }
  }
  await configure(kafka, topic, { 'compression.type': 'producer' })
  await producer.disconnect()
  return placed
}

/** The broker takes batches of one megabyte. */
function byBytes(messages: readonly Message[]): Message[][] {
  const batches: Message[][] = [[]]
  let bytes = 0
  for (const message of messages) {
    const size =
      (message.value?.length ?? 0) + JSON.stringify(message.headers ?? {}).length + (message.key?.length ?? 0)
    if (bytes + size > 500_000) batches.push([])
    bytes = bytes + size > 500_000 ? size : bytes + size
    batches.at(-1)!.push(message)
  }
  return batches.filter((batch) => batch.length > 0)
}

/** Resolves when the broker has applied these settings: it does so some time after it has taken them. */
async function configure(kafka: kafkajs.Kafka, name: string, entries: Record<string, string>) {
  const wanted = Object.entries({ 'message.timestamp.after.max.ms': '9223372036854775807', ...entries })
  const type = kafkajs.ConfigResourceTypes.TOPIC
  await withAdmin(kafka, async (admin) => {
    const configEntries = wanted.map(([key, value]) => ({ name: key, value }))
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name, configEntries }] })
    await waitUntil('the broker has the settings', async () => {
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name }] })
      const now = new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]))
      return wanted.every(([key, value]) => now.get(key) === value)
    })
  })
}

interface Parked {
  place: string
  reason: string
  error: string
  value: Buffer | null
  record_key: Buffer | null
  headers: StoredHeaders
}

async function parked({ pool }: TestBench): Promise<Map<string, Parked>> {
  const { rows } = await pool.query<Parked>(
    `select partition || '/' || "offset" as place, reason, error, value, record_key, headers from parked`,
  )
  return new Map(rows.map((row) => [row.place, row]))
}

test.each([1, 2])('everything that can be wrong with a record, seed %i', async (seed) => {
  await using bench = await openTestBench(group, countTable, partitions, settings)
  const corpus = fuzzCorpus(bench.codec, seed, { bitFlips: 300, bombs: 60 })
  const placed = await publish(bench, interleave(bench, corpus))
  const before = process.memoryUsage().rss
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20)

  const rows = await parked(bench)
  const count = await counts(bench)
  const outcome = ({ orderId, place }: Placed) => {
    const row = rows.get(place)
    if (row) return `parked ${row.reason}`
    return `taken ${count.get(orderId)?.placed ?? 0} times`
  }
  const wrong = placed.flatMap((record) => {
    const { becomes = 'taken', name = 'a good neighbour' } = record.fuzz ?? {}
    const found = outcome(record)
    const row = rows.get(record.place)
    const right = {
      taken: found === 'taken 1 times',
      ignored: found === 'taken 0 times',
      parked: row !== undefined,
      either: true,
    }[becomes]
    return right ? [] : [`${name}: ${found}, ${row?.error}`]
  })
  expect(wrong).toEqual([])
  for (const { fuzz, place } of placed) {
    const row = rows.get(place)
    if (!row || !fuzz) continue
    expect(row.reason).toMatch(/^(UNREADABLE|MISROUTED|HANDLER_FAILED)$/)
    expect(row.value?.equals(fuzz.value ?? Buffer.alloc(0)) ?? fuzz.value === null).toBe(true)
    expect(row.record_key?.equals(Buffer.from(fuzz.key ?? '')) ?? fuzz.key === null).toBe(true)
    expect(bytesOf(restoreHeaders(row.headers))).toEqual(bytesOf(fuzz.headers ?? {}))
  }
  const sums = (await ledgerSums(bench))!
  expect(sums.parked).toBe(rows.size)
  expect(sums.taken + sums.duplicates + sums.ignored + sums.parked).toBe(sums.offsets)
  expect(sums).toMatchObject({ duplicates: 0, ignored: 1, offsets: placed.length })
})

const bytesOf = (headers: kafkajs.IHeaders) =>
  Object.entries(headers)
    .map(
      ([name, value]) =>
        `${name}=${Buffer.concat([value ?? ''].flat().map((part) => Buffer.from(part))).toString('base64')}`,
    )
    .toSorted()

test('compression bombs among good orders', async () => {
  await using bench = await openTestBench(group, countTable, partitions, settings)
  const { kafka, namespace } = bench.sandbox
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const good = orders(30)
  await bench.publish(good.slice(0, 15))
  for (const [partition, compression] of [kafkajs.CompressionTypes.GZIP, kafkajs.CompressionTypes.ZSTD].entries()) {
    const messages = [{ key: 'o-bomb', value: Buffer.alloc(48 * 2 ** 20), partition }]
    for (let i = 0; i < 2; i++) await producer.send({ topic: `${namespace}orders`, compression, messages })
  }
  await producer.disconnect()
  await bench.publish(good.slice(15))
  const before = process.memoryUsage().rss
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20)
  const found = await counts(bench)
  expect(good.map(({ data }) => found.get(data.orderId)?.placed)).toEqual(good.map(() => 1))
  const rows = [...(await parked(bench)).values()]
  expect(rows.map(({ reason }) => reason).toSorted()).toEqual(['BEHIND', 'BEHIND', 'UNREADABLE', 'UNREADABLE'])
  for (const { value } of rows) expect(whyReplaced(value!)).toMatch(/^a record of 5033\d{4} bytes/)
  expect(await ledgerSums(bench)).toMatchObject({ taken: 30, parked: 4, offsets: 34 })
})
