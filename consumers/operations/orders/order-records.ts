import type { KafkaMessage } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import { explainFailure } from '../../../infra/explain-failure.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { connectKafka } from '../../../infra/kafka/command-client.ts'
import { openRangeReader } from '../../../infra/kafka/read-ranges.ts'
import type { ReadRange } from '../../../infra/kafka/read-ranges.ts'
import { inGeneration, topics } from '../../../schemas/topics.ts'
import type { TimelineRow } from './find-orders.ts'

/** A record of an order; topic without namespace. */
export interface OrderRecord {
  readonly topic: string
  readonly partition: number
  readonly message: KafkaMessage
}

/** The records of an order that were found on the topics. */
export interface OrderRecords {
  readonly records: readonly OrderRecord[]
  /** Why records may be missing, a sentence each. */
  readonly gaps: readonly string[]
}

export interface RecordSearch {
  readonly orderId: string
  readonly lane: number
  /** Where events of the order are known to be. */
  readonly known: readonly Pick<TimelineRow, 'topic' | 'partition' | 'offset'>[]
  /** When the order began, UTC epoch ms, if that is known: topics without a known event are read from then on. */
  readonly beganAt: number | undefined
  readonly signal: AbortSignal
}

/** Records read behind the last known one of each topic, in search of repeats and of events that no service has read. */
const readOn = 1_000
/** A topic of which more than this would have to be read is read from its known offsets on only. */
const readAtMost = 20_000
const withinMs = 8_000
/** A record may be older than the clock of its producer says. */
const slackMs = 5_000

/** Reads the order's partition of every topic from its first known event on. Never throws: `gaps` says what is missing. */
export async function readOrderRecords(config: Config, search: RecordSearch): Promise<OrderRecords> {
  const { orderId, lane, known, signal } = search
  const gaps: string[] = []
  const records: OrderRecord[] = []
  const kafka = connectKafka('console', config)
  try {
    const ranges = await withAdmin(kafka, (admin) =>
      Promise.all(
        namesOf(config, known).map(async (topic): Promise<ReadRange & { name: string }> => {
          const name = `${config.namespace}${topic}`
          const extent = (await admin.fetchTopicOffsets(name)).find(({ partition }) => partition === lane)
          const [low, end] = [Number(extent?.low ?? 0), Number(extent?.high ?? 0)]
          const offsets = known.filter((each) => each.topic === topic).map(({ offset }) => Number(offset))
          const first = offsets.length > 0 ? Math.min(...offsets) : await offsetAt(admin, name, search, end)
          const from = Math.max(low, first)
          const last = offsets.length > 0 ? Math.max(...offsets) : from
          if (first < low) gaps.push(`Events of this order on ${topic} are older than the topic keeps.`)
          const to = Math.max(from, Math.min(end, last + 1 + readOn, from + readAtMost))
          if (last >= to && offsets.length > 0) gaps.push(`Later events of this order on ${topic} were not read.`)
          return { name: topic, topic: name, partition: lane, from, to }
        }),
      ),
    )
    const limit = AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
    await using reader = await openRangeReader({ kafka, ranges, signal: limit, bufferBytes: 2 ** 22 })
    await Promise.all(
      ranges.map(async ({ name, topic }) => {
        for (let piece = await reader.next(topic, lane); piece; piece = await reader.next(topic, lane))
          for (const message of piece.records)
            if (message.key?.toString() === orderId) records.push({ topic: name, partition: lane, message })
      }),
    )
  } catch (error) {
    signal.throwIfAborted()
    gaps.push(`The topics could not be read: ${explainFailure(error, () => config).sentence}.`)
  }
  return { records, gaps }
}

/** The topics of orders in this generation, and any others in which events of the order are known to be. */
const namesOf = ({ generation }: Config, known: RecordSearch['known']): string[] => [
  ...new Set([
    ...topics.filter(({ name }) => name !== 'stock').map(({ name }) => inGeneration(name, generation)),
    ...known.flatMap(({ topic }) => topic ?? []),
  ]),
]

async function offsetAt(
  admin: { fetchTopicOffsetsByTimestamp(topic: string, ms: number): Promise<{ partition: number; offset: string }[]> },
  topic: string,
  { lane, beganAt }: RecordSearch,
  end: number,
): Promise<number> {
  if (beganAt === undefined) return end
  const found = await admin.fetchTopicOffsetsByTimestamp(topic, beganAt - slackMs)
  const offset = Number(found.find(({ partition }) => partition === lane)?.offset ?? end)
  return offset < 0 ? end : offset
}
