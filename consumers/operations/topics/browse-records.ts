import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { connectKafka } from '../../../infra/kafka/command-client.ts'
import { openRangeReader } from '../../../infra/kafka/read-ranges.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { describeRecord } from '../orders/order-event.ts'
import type { OrderEvent } from '../orders/order-event.ts'
import type { RangeBound } from '../replay/plan/range-bound.ts'
import { readExtents } from '../replay/plan/read-extents.ts'

export interface BrowseRequest {
  /** Without namespace. */
  readonly topic: string
  /** @default that of the key; all partitions without one */
  readonly partition?: number
  /** Where to begin. @default the last records */
  readonly from?: RangeBound
  readonly key?: string
  readonly type?: string
  /** @default 50 */
  readonly limit?: number
}

/** A record as read, decoded as far as possible. */
export interface BrowsedRecord extends OrderEvent {
  readonly key: string | null
  readonly partition: number
  readonly offset: number
}

export interface Browsed {
  /** The newest first; from a place on: the oldest first. */
  readonly records: readonly BrowsedRecord[]
  readonly scanned: number
  /** The extent of each partition read, and where the next page begins. */
  readonly partitions: readonly {
    readonly partition: number
    readonly low: number
    readonly end: number
    readonly next: number
  }[]
}

/** Records that are read at most in search of those that match. */
const scanAtMost = 50_000
const withinMs = 10_000

/**
 * Reads records of a topic, outside every group: no position moves.
 * @throws TallyError USAGE for a topic, partition or offset that does not exist; UNREACHABLE
 */
export async function browseRecords(
  config: Config,
  codec: Codec | undefined,
  { topic, key, type, limit = 50, from, ...asked }: BrowseRequest,
  signal: AbortSignal,
): Promise<Browsed> {
  const kafka = connectKafka('console', config)
  const times = from?.at === 'time' ? [from.time] : []
  const extents = await readExtents({ kafka, config }, [topic], times)
  const partition = asked.partition ?? (key === undefined ? undefined : laneOf(key, extents.length))
  const chosen = extents.filter((extent) => partition === undefined || extent.partition === partition)
  if (chosen.length === 0)
    throw new TallyError('USAGE', `${topic} has no partition ${partition}: there are 0 to ${extents.length - 1}`)
  const filtered = key !== undefined || type !== undefined
  const reach = Math.floor((filtered ? scanAtMost : limit) / chosen.length) + (filtered ? 0 : limit)
  const ranges = chosen.map(({ partition: number, low, end, notOlder }) => {
    const wanted = firstOf(from, { low, end, atTime: notOlder[0] }, number, topic)
    const first = wanted ?? Math.max(low, end - reach)
    return {
      topic: `${config.namespace}${topic}`,
      partition: number,
      low,
      end,
      from: first,
      to: Math.min(end, first + reach),
    }
  })
  await using reader = await openRangeReader({
    kafka,
    ranges,
    signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    bufferBytes: 2 ** 23,
  })
  const found: BrowsedRecord[] = []
  let scanned = 0
  const partitions = await Promise.all(
    ranges.map(async ({ topic: name, partition: number, low, end, to }) => {
      const own: BrowsedRecord[] = []
      for (let piece = await reader.next(name, number); piece; piece = await reader.next(name, number))
        for (const message of piece.records) {
          scanned++
          const recordKey = message.key?.toString() ?? null
          if (key !== undefined && recordKey !== key) continue
          const described = await describeRecord({ topic, partition: number, message }, codec)
          if (type !== undefined && described.type !== type) continue
          own.push({ ...described, key: recordKey, partition: number, offset: Number(message.offset) })
        }
      const kept = from === undefined ? own.slice(-limit) : own.slice(0, limit)
      found.push(...kept)
      return { partition: number, low, end, next: kept.length < own.length ? (kept.at(-1)?.offset ?? 0) + 1 : to }
    }),
  )
  const sign = from === undefined ? -1 : 1
  const sorted = found.toSorted(
    (a, b) => sign * ((a.publishedAt ?? '').localeCompare(b.publishedAt ?? '') || a.offset - b.offset),
  )
  return { records: sorted.slice(0, limit), scanned, partitions }
}

/** Undefined: the last records. */
function firstOf(
  from: RangeBound | undefined,
  { low, end, atTime }: { low: number; end: number; atTime: number | undefined },
  partition: number,
  topic: string,
): number | undefined {
  switch (from?.at) {
    case undefined:
    case 'latest':
      return undefined
    case 'earliest':
      return low
    case 'time':
      return Math.max(low, atTime ?? end)
    case 'offset':
      return Math.min(end, Math.max(low, from.offset))
    case 'offsets':
      return Math.min(
        end,
        Math.max(low, from.offsets.get(`${topic}/${partition}`) ?? from.offsets.get(String(partition)) ?? end),
      )
    case 'group':
      throw new TallyError('USAGE', 'No consumer is chosen whose position could be meant')
  }
}
