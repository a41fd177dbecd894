import type { IHeaders, Kafka, Message, Producer, TopicMessages } from 'kafkajs'
import { TallyError } from '../errors.ts'
import { canSendPacked, packedMessages } from './patches/produce/produce-request.ts'
import { unpackRecords } from './patches/produce/packed-records.ts'
import type { PackedRecords } from './patches/produce/packed-records.ts'

export interface OutgoingRecord {
  /** Name on the broker. */
  topic: string
  partition: number
  key: string
  value: Buffer
  headers: Record<string, string>
}

/** A record as it may be on the broker, also one of another producer. */
export interface RawRecord {
  topic: string
  partition: number
  key: string | Buffer | null
  value: Buffer | null
  headers: IHeaders
  /** Epoch ms. @default now */
  timestamp?: string
}

/** Records for one partition that need no more encoding. */
export interface PackedBatch extends PackedRecords {
  /** Name on the broker. */
  topic: string
  partition: number
}

/** How long a broker may take to copy records to the others; the client waits a second longer, see `createKafka`. */
const answerWithinMs = 3_000

/** Errors that a retry cannot change. Source: Apache Kafka protocol guide, error codes. */
const refusals = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
])

/**
 * Sends records so that an acknowledged record is written, which kafkajs alone does not guarantee:
 * - One request at a time. After an error kafkajs reuses sequence numbers, and the broker would drop an overtaken request
 *   as a duplicate of another.
 * - A partition missing from the answer was not written: a retry inside kafkajs may have skipped its broker.
 * - After an unknown outcome the producer is discarded. A new one has a new id, so the broker cannot mistake a resent record
 *   for a known sequence. Records may then be written twice; consumers drop the second by its event id.
 */
export class RecordSender {
  private readonly kafka: Kafka
  private producer: Producer | undefined
  private sending = false

  constructor(kafka: Kafka) {
    this.kafka = kafka
  }

  /**
   * Resolves once the broker has acknowledged all records; keeps the order per partition. The caller keeps the bytes per
   * partition below the topic's `max.message.bytes`, because kafkajs makes one batch of them.
   * @throws TallyError UNREACHABLE: any of the records may be written or not, resend all; REFUSED_BY_KAFKA; INVARIANT
   */
  send(records: readonly RawRecord[]): Promise<void> {
    return this.transmit(records, byTopic(records))
  }

  /** The same for packed records. @param batches one for each partition at most: more the broker does not take at once */
  sendPacked(batches: readonly PackedBatch[]): Promise<void> {
    const messages = (batch: PackedBatch): Message[] =>
      canSendPacked()
        ? packedMessages(batch.partition, batch)
        : unpackRecords(batch).map((record) => ({ ...record, partition: batch.partition }))
    const topics = Map.groupBy(batches, ({ topic }) => topic)
    return this.transmit(
      batches,
      [...topics].map(([topic, of]) => ({ topic, messages: of.flatMap(messages) })),
    )
  }

  private async transmit(places: readonly Place[], topicMessages: TopicMessages[]): Promise<void> {
    if (this.sending)
      throw new TallyError('INVARIANT', 'a request is in flight: records are sent one request at a time')
    this.sending = true
    try {
      const producer = (this.producer ??= await this.connect())
      const answer = await producer.sendBatch({ acks: -1, timeout: answerWithinMs, topicMessages })
      const written = new Set(answer.map(({ topicName, partition }) => `${topicName}/${partition}`))
      const missing = places.find(({ topic, partition }) => !written.has(`${topic}/${partition}`))
      if (missing)
        throw new Error(`Partition ${missing.partition} of ${missing.topic} is missing in the broker's answer`)
    } catch (error) {
      await this.stop()
      throw explained(error)
    } finally {
      this.sending = false
    }
  }

  /** Closes the connection; the next `send` makes a new one. */
  async stop(): Promise<void> {
    const producer = this.producer
    this.producer = undefined
    await producer?.disconnect().catch(() => {}) // The connection is lost either way
  }

  private async connect(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Whoever tries again gets a new producer, which finds the brokers that live; fewer kafkajs does not allow
      retry: { initialRetryTime: 20, retries: 1 },
    })
    try {
      await producer.connect()
      return producer
    } catch (error) {
      await producer.disconnect().catch(() => {}) // The socket may be open already
      throw error
    }
  }
}

type Place = Pick<RawRecord, 'topic' | 'partition'>

const byTopic = (records: readonly RawRecord[]): TopicMessages[] =>
  [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, messages]) => ({ topic, messages }))

function explained(error: unknown): TallyError {
  const refusal = refusalOf(error)
  if (refusal) return new TallyError('REFUSED_BY_KAFKA', `Kafka refuses the records: ${refusal}`, { cause: error })
  return new TallyError('UNREACHABLE', 'Kafka did not acknowledge the records', { cause: error })
}

function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const type = 'type' in error ? String(error.type) : ''
  return refusals.has(type) ? type : refusalOf(error.cause)
}
