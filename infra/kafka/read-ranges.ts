import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { isTallyError, TallyError } from '../errors.ts'
import { FetchClient } from './reading/fetch-client.ts'
import type { FetchedBatch, OutOfRange } from './reading/fetch-client.ts'
import { findUnreadable } from './patches/fetch/unreadable-batch.ts'

/** Offsets `[from, to)` of one partition; topic name on the broker. */
export interface ReadRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** The next part of a range: its records up to the offset `to`. It may have none, because offsets can be empty. */
export interface Piece {
  readonly to: number
  readonly records: readonly KafkaMessage[]
}

export interface RangeReader extends AsyncDisposable {
  /**
   * Resolves with undefined at the end of the range.
   * @throws TallyError EVENTS_GONE if the broker no longer has the records, UNREACHABLE after 20 s; the signal's reason
   */
  next(topic: string, partition: number): Promise<Piece | undefined>
}

export interface RangeReaderOptions {
  kafka: Kafka
  ranges: readonly ReadRange[]
  signal: AbortSignal
  /** Approximate size of the read-ahead of all ranges together, bytes. @default 64 MiB */
  bufferBytes?: number
}

const patienceMs = 20_000
const pauseMs = 200

/**
 * Reads ranges of partitions concurrently and ahead of the caller, each range in order. Without a group: no position is
 * committed.
 * @throws TallyError USAGE if there is no such partition, UNREACHABLE
 */
export async function openRangeReader({
  kafka,
  ranges,
  signal,
  bufferBytes = 2 ** 26,
}: RangeReaderOptions): Promise<RangeReader> {
  const client = new FetchClient(kafka)
  const reading = new Reading(client, ranges, signal, bufferBytes)
  try {
    await client.connect([...new Set(ranges.map(({ topic }) => topic))])
  } catch (error) {
    await client.disconnect()
    throw explained(error)
  }
  const finished = reading.readAhead()
  return {
    next: (topic, partition) => reading.next(topic, partition),
    async [Symbol.asyncDispose]() {
      reading.stop()
      await client.disconnect()
      await finished
    },
  }
}

interface Buffered extends ReadRange {
  /** Where the next request begins. */
  at: number
  pieces: (Piece & { bytes: number })[]
  bytes: number
}

class Reading {
  private readonly client: FetchClient
  private readonly ranges: Map<string, Buffered>
  private readonly signal: AbortSignal
  private readonly roomOfEach: number
  private stopped = false
  private failure: { error: unknown } | undefined
  /** Resolves at the next change: read, taken, failed, stopped. */
  private change = Promise.withResolvers<void>()

  constructor(client: FetchClient, ranges: readonly ReadRange[], signal: AbortSignal, bufferBytes: number) {
    this.client = client
    this.ranges = new Map(
      ranges.map((range) => [placeOf(range), { ...range, at: range.from, pieces: [], bytes: 0 } satisfies Buffered]),
    )
    this.signal = signal
    this.roomOfEach = Math.max(2 ** 16, Math.floor(bufferBytes / Math.max(1, ranges.length)))
    signal.addEventListener('abort', this.changed, { once: true })
  }

  stop(): void {
    this.stopped = true
    this.signal.removeEventListener('abort', this.changed)
    this.changed()
  }

  async next(topic: string, partition: number): Promise<Piece | undefined> {
    const range = this.ranges.get(placeOf({ topic, partition }))
    if (!range) throw new TallyError('INVARIANT', `no range of ${topic}/${partition} is read`)
    for (;;) {
      this.signal.throwIfAborted()
      const piece = range.pieces.shift()
      if (piece) {
        range.bytes -= piece.bytes
        this.changed()
        return piece
      }
      if (range.at >= range.to) return undefined
      if (this.failure) throw this.failure.error
      await this.change.promise
    }
  }

  /** Never rejects: `next` throws the failure. */
  async readAhead(): Promise<void> {
    let failingSince: number | undefined
    while (!this.stopped && !this.signal.aborted) {
      const unread = [...this.ranges.values()].filter(({ at, to }) => at < to)
      if (unread.length === 0) return
      const wanted = unread.filter(({ bytes }) => bytes < this.roomOfEach)
      if (wanted.length === 0) {
        await this.change.promise
        continue
      }
      try {
        const requests = wanted.map(({ topic, partition, at }) => ({ topic, partition, offset: at }))
        for (const batch of await this.client.fetch(requests, Math.min(2 ** 20, this.roomOfEach))) this.add(batch)
        failingSince = undefined
        this.changed()
      } catch (error) {
        failingSince ??= performance.now()
        if (isFinal(error) || performance.now() - failingSince > patienceMs) return this.fail(error)
        await delay(pauseMs, undefined, { ref: false })
        await this.client.refresh().catch(() => {}) // The next request reports the error
      }
    }
  }

  private add(batch: FetchedBatch): void {
    const range = this.ranges.get(placeOf(batch))
    if (!range) return
    const { topic, partition, to } = range
    const unreadable = findUnreadable(batch.messages)
    if (unreadable) throw unreadable.error
    if (batch.rawMessages.length === 0) {
      if (Number(batch.highWatermark) > range.at) return // Other partitions filled the response
      const what = `${topic}/${partition} ends at offset ${batch.highWatermark}, not ${to}`
      throw new TallyError('EVENTS_GONE', `${what}: it was truncated or re-created`)
    }
    const records = batch.messages.filter(({ offset }) => Number(offset) < to)
    const bytes = records.reduce((sum, { key, value }) => sum + 100 + (key?.length ?? 0) + (value?.length ?? 0), 0)
    range.at = Math.min(to, Number(batch.lastOffset()) + 1)
    range.bytes += bytes
    range.pieces.push({ to: range.at, records, bytes })
  }

  private fail(error: unknown): void {
    this.failure = { error: isOutOfRange(error) ? this.gone(error) : explained(error) }
    this.changed()
  }

  private gone({ topic, partition }: OutOfRange): TallyError {
    const at = this.ranges.get(placeOf({ topic, partition }))?.at
    return new TallyError('EVENTS_GONE', `${topic}/${partition} no longer has offset ${at}: retention deleted it`)
  }

  private readonly changed = (): void => {
    const { resolve } = this.change
    this.change = Promise.withResolvers()
    resolve()
  }
}

const placeOf = ({ topic, partition }: { topic: string; partition: number }): string => `${topic}/${partition}`

const isOutOfRange = (error: unknown): error is OutOfRange =>
  error instanceof Error && error.name === 'KafkaJSOffsetOutOfRange'

const isFinal = (error: unknown): boolean => isOutOfRange(error) || isTallyError(error)

function explained(error: unknown): unknown {
  if (isTallyError(error)) return error
  if ((error as { type?: string }).type === 'UNKNOWN_TOPIC_OR_PARTITION')
    return new TallyError('USAGE', 'there is no such topic', { cause: error })
  return new TallyError('UNREACHABLE', 'Kafka gave an unexpected answer', { cause: error })
}
