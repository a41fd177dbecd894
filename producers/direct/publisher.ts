import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { TallyError } from '../../infra/errors.ts'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { RecordSender } from '../../infra/kafka/record-sender.ts'
import type { OutgoingRecord } from '../../infra/kafka/record-sender.ts'
import type { Encode } from '../../schemas/codec/encoder.ts'
import { toHeaders } from '../../schemas/envelope.ts'
import { laneOf } from '../../schemas/partition.ts'
import { keyOf, topicName, topicOf, topics } from '../../schemas/topics.ts'
import type { Event } from '../sample-data/event-generator.ts'

/** Limits of one request: kafkajs groups records in quadratic time, and the broker refuses batches over 1 MB. */
const recordsPerRequest = 2_000
const bytesPerPartition = 700_000

export interface PublisherOptions {
  kafka: Kafka
  namespace: string
  /** Generation of the topics. @default 1 */
  generation?: number
  codec: { encode: Encode }
  /** `ce_source` of the events. @default '/tally/produce' */
  source?: string
  /** How long one request is retried before all waiting events fail, ms. @default 60_000 */
  giveUpAfterMs?: number
}

/** An event to publish. `time` is UTC epoch ms, by default now. */
export type OutgoingEvent = Event & { time?: number }

/**
 * Publishes events directly to Kafka, for scripts; services publish through their outbox. Events passed while a request is
 * in flight are sent together with the next one.
 */
export class Publisher {
  private readonly options: Required<PublisherOptions>
  private readonly partitions: ReadonlyMap<string, number>
  private readonly sender: RecordSender
  private readonly waiting: Waiting[] = []
  private running: Promise<void> | undefined
  private stopped = false

  private constructor(options: Required<PublisherOptions>, partitions: ReadonlyMap<string, number>) {
    this.options = options
    this.partitions = partitions
    this.sender = new RecordSender(options.kafka)
  }

  /**
   * Looks up the partitions of the topics.
   * @throws TallyError NOT_DEPLOYED when a topic is missing; errors of kafkajs when no broker answers
   */
  static async connect(options: PublisherOptions): Promise<Publisher> {
    const partitions = await readPartitions(options)
    return new Publisher({ generation: 1, source: '/tally/produce', giveUpAfterMs: 60_000, ...options }, partitions)
  }

  /** Number of events that are not acknowledged yet. */
  get pending(): number {
    return this.waiting.length
  }

  /**
   * Resolves once the broker has acknowledged all of the events; keeps the order per key, also across calls. A caller that
   * does not wait must limit `pending`.
   * @throws TallyError INVARIANT for an event that does not fit its schema: then none is sent; UNREACHABLE or REFUSED_BY_KAFKA
   *   when the broker does not accept them: any may be written, and publishing them again under their ids is harmless
   */
  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    if (this.stopped) throw new TallyError('INVARIANT', 'the publisher is stopped')
    const records = events.map((event) => this.toRecord(event))
    const last = records.pop()
    if (!last) return
    const acknowledged = Promise.withResolvers<void>()
    for (const record of records) this.waiting.push({ record })
    this.waiting.push({ record: last, acknowledged })
    this.running ??= this.run()
    await acknowledged.promise
  }

  /** Waits for pending events, then closes the connection. */
  async stop(): Promise<void> {
    this.stopped = true
    await this.running
    await this.sender.stop()
  }

  private toRecord({ type, id, data, time = Date.now() }: OutgoingEvent): OutgoingRecord {
    const topic = topicName(this.options.namespace, topicOf(type), this.options.generation)
    const key = keyOf(data)
    const headers = toHeaders({ id, type, source: this.options.source, time, subject: key, correlationId: key })
    const partition = laneOf(key, this.partitions.get(topic) ?? 1)
    return { topic, partition, key, value: this.options.codec.encode(type, data), headers }
  }

  private async run(): Promise<void> {
    try {
      while (this.waiting.length > 0) {
        const batch = this.nextBatch()
        await this.sendUntilAcknowledged(batch.map(({ record }) => record))
        this.waiting.splice(0, batch.length)
        for (const { acknowledged } of batch) acknowledged?.resolve()
      }
    } catch (error) {
      for (const { acknowledged } of this.waiting.splice(0)) acknowledged?.reject(error)
    } finally {
      this.running = undefined
    }
  }

  /** The longest prefix of the waiting events that fits into one request. */
  private nextBatch(): Waiting[] {
    const bytes = new Map<string, number>()
    const end = this.waiting.slice(0, recordsPerRequest).findIndex(({ record }) => {
      const place = `${record.topic}/${record.partition}`
      const before = bytes.get(place) ?? 0
      const after = before + sizeOf(record)
      bytes.set(place, after)
      return before > 0 && after > bytesPerPartition
    })
    return this.waiting.slice(0, end === -1 ? recordsPerRequest : end)
  }

  private async sendUntilAcknowledged(records: readonly OutgoingRecord[]): Promise<void> {
    const deadline = Date.now() + this.options.giveUpAfterMs
    for (let failures = 0; ; failures++) {
      try {
        return await this.sender.send(records)
      } catch (error) {
        const retryable = error instanceof TallyError && error.retryable
        if (!retryable || Date.now() >= deadline) throw error
        await delay(Math.min(1_000, 25 * 2 ** failures) * (0.5 + Math.random() / 2))
      }
    }
  }
}

interface Waiting {
  record: OutgoingRecord
  /** Set on the last record of a call: when it is acknowledged, so are all before it. */
  acknowledged?: PromiseWithResolvers<void>
}

/** Bytes of key, value, headers and a generous share for the record format. */
const sizeOf = ({ key, value, headers }: OutgoingRecord): number =>
  Object.entries(headers).reduce(
    (sum, [name, text]) => sum + name.length + text.length + 4,
    key.length + value.length + 40,
  )

async function readPartitions({ kafka, namespace, generation }: PublisherOptions): Promise<Map<string, number>> {
  const { topics: found } = await withAdmin(kafka, (admin) => admin.fetchTopicMetadata())
  const partitions = new Map(found.map(({ name, partitions }) => [name, partitions.length]))
  const missing = topics.map((topic) => topicName(namespace, topic, generation)).filter((name) => !partitions.has(name))
  if (missing.length === 0) return partitions
  throw new TallyError(
    'NOT_DEPLOYED',
    `Kafka has no topic ${missing.join(', ')}: \`npm start\` makes them; is TALLY_NAMESPACE right?`,
  )
}
