import type { Batch, KafkaMessage } from 'kafkajs'

interface Place {
  readonly offset: number
  /** Epoch ms. */
  readonly time: number
}

/** The end of a partition as it was last seen. */
interface Seen {
  readonly end: number
  /** When, epoch ms. */
  readonly at: number
  /** At that time or later everything before the end had been processed. */
  readonly caughtUpAt: number
  /** First and last record of the batch fetched last. */
  readonly fetched?: { readonly first: Place; readonly last: Place }
}

export interface Lag {
  readonly events: number
  /** How long the oldest of them has waited, at most; 0 if there is none. */
  readonly ms: number
}

/**
 * How far lanes are behind, from what passes through the process anyway: the ends that come with each fetch, and those
 * that are read every ten seconds to find lost records. Asks no broker.
 */
export class LaneLag {
  private readonly seen = new Map<string, Seen>()
  private readonly namespace: string
  private readonly now: () => number

  constructor(namespace: string, now: () => number = Date.now) {
    this.namespace = namespace
    this.now = now
  }

  /** Call with every fetched batch. @param position of the lane at that time */
  fetched(batch: Batch, position: number | undefined): void {
    const { partition, highWatermark, messages } = batch
    const [first, last] = [messages[0], messages.at(-1)]
    const place = `${this.topicOf(batch)}/${partition}`
    this.learn(place, Number(highWatermark), position, first && last && { first: placeOf(first), last: placeOf(last) })
  }

  /** Without namespace. */
  topicOf({ topic }: Batch): string {
    return topic.slice(this.namespace.length)
  }

  /** Call whenever the ends were read: `orders/3` and its end. @param position of a lane in a topic */
  looked(
    ends: ReadonlyMap<string, { end: number }>,
    position: (topic: string, lane: number) => number | undefined,
  ): void {
    for (const [place, { end }] of ends) {
      const slash = place.lastIndexOf('/')
      this.learn(place, end, position(place.slice(0, slash), Number(place.slice(slash + 1))))
    }
  }

  /**
   * The lag of a lane over its topics, by position; undefined if no end is known yet.
   * @param positions topic (without namespace) and next offset
   */
  of(lane: number, positions: Iterable<readonly [topic: string, position: number]>): Lag | undefined {
    let lag: Lag | undefined
    for (const [topic, position] of positions) {
      const seen = this.seen.get(`${topic}/${lane}`)
      if (!seen) continue
      const events = Math.max(0, seen.end - position)
      const ms = events === 0 ? 0 : Math.max(0, this.now() - oldestUnread(seen, position))
      lag = { events: (lag?.events ?? 0) + events, ms: Math.max(lag?.ms ?? 0, ms) }
    }
    return lag
  }

  private learn(place: string, end: number, position = 0, fetched?: Seen['fetched']): void {
    const before = this.seen.get(place)
    const at = this.now()
    const caughtUp = position >= end ? at : before && position >= before.end ? before.at : before?.caughtUpAt
    this.seen.set(place, { end, at, caughtUpAt: caughtUp ?? 0, fetched: fetched ?? before?.fetched })
  }
}

/** When the record at this position was written at the earliest, epoch ms. */
function oldestUnread({ caughtUpAt, fetched }: Seen, position: number): number {
  if (!fetched) return caughtUpAt
  const { first, last } = fetched
  return position <= last.offset ? first.time : Math.max(caughtUpAt, last.time)
}

const placeOf = ({ offset, timestamp }: KafkaMessage): Place => ({ offset: Number(offset), time: Number(timestamp) })
