import type { IHeaders, Kafka, Producer, TopicMessages } from 'kafkajs'
import { TallyError } from '../errors.ts'

export interface OutgoingRecord {
  /** Name on the broker. */
  topic: string
  partition: number
  key: string
  value: Buffer
  headers: Record<string, string>
}

/** As a record may be on the broker: somebody else's, too. */
export interface RawRecord {
  topic: string
  partition: number
  key: string | Buffer | null
  value: Buffer | null
  headers: IHeaders
  /** Epoch ms. @default now */
  timestamp?: string
}

/** Refusals that sending again cannot change. Source: Apache Kafka protocol guide, error codes. */
const refusals = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
])

/**
 * Sends records so that an acknowledged one is really there, which kafkajs alone does not give:
 * - One request at a time. After an error it reuses sequence numbers, and the broker would take an overtaken request for
 *   a repeat of another and drop it.
 * - A partition missing from the answer was not written: a retry inside kafkajs may have skipped its broker.
 * - After an unclear outcome the producer is thrown away. A new one has a new id, so the broker cannot mistake what is
 *   sent again for a known sequence. Records may then be there twice; consumers drop the second by its event id.
 */
export class RecordSender {
  private readonly kafka: Kafka
  private producer: Producer | undefined
  private sending = false

  constructor(kafka: Kafka) {
    this.kafka = kafka
  }

  /**
   * Resolves once the broker has acknowledged all records; order per partition is kept. The caller keeps each partition's
   * share under the topic's `max.message.bytes`, because kafkajs makes one batch of it.
   * @throws TallyError retryable: any of the records may be there or not, send all of them again; or not retryable
   */
  async send(records: readonly RawRecord[]): Promise<void> {
    if (this.sending)
      throw new TallyError('INVARIANT', 'a request is under way: records are sent one request at a time')
    this.sending = true
    try {
      const producer = (this.producer ??= await this.connect())
      const answer = await producer.sendBatch({ acks: -1, timeout: 5_000, topicMessages: byTopic(records) })
      const written = new Set(answer.map(({ topicName, partition }) => `${topicName}/${partition}`))
      const missing = records.find(({ topic, partition }) => !written.has(`${topic}/${partition}`))
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
    await producer?.disconnect().catch(() => {}) // It is gone either way
  }

  private async connect(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 20, maxRetryTime: 200, retries: 3 },
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
