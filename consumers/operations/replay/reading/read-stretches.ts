import type { KafkaMessage } from 'kafkajs'
import type { Advance } from '../mode.ts'

/** Reads ranges, each in its own order; topic names without namespace. */
export interface RangeSource {
  /** What comes next of a range: the records of the offsets `[from, to)`; undefined when it is read to its end. */
  next(
    topic: string,
    partition: number,
  ): Promise<{ readonly to: number; readonly records: readonly KafkaMessage[] } | undefined>
}

export interface ChosenRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly message: KafkaMessage
  /** Records of its range that were read before it in this stretch. */
  readonly scannedBefore: number
}

/** A piece of several ranges: which records of it are meant, and how far each range is behind it. */
export interface Stretch {
  readonly chosen: readonly ChosenRecord[]
  readonly advances: readonly Advance[]
}

export interface StretchOptions {
  /** Called with what has been read, in order, before `isChosen` is asked about it. */
  learn(records: readonly KafkaMessage[]): Promise<void>
  isChosen(message: KafkaMessage): boolean
  /** Chosen records of the next stretch at most. */
  atOnce(): number
}

const scannedAtMost = 10_000

/**
 * Reads ranges side by side, records as they came in time, as far as their ranges' own orders allow: an event that led to
 * another mostly comes before it.
 * @param ranges where each goes on, and its end (exclusive)
 */
export async function* readStretches(
  source: RangeSource,
  ranges: readonly { readonly topic: string; readonly partition: number; readonly next: number; readonly to: number }[],
  { learn, isChosen, atOnce }: StretchOptions,
): AsyncGenerator<Stretch, void> {
  const cursors = ranges.filter(({ next, to }) => next < to).map((range) => new Cursor(range))
  let chosen: ChosenRecord[] = []
  let scanned = 0
  let room = atOnce()
  const cut = (): Stretch => {
    const stretch = { chosen, advances: cursors.flatMap((cursor) => cursor.cut()) }
    chosen = []
    scanned = 0
    return stretch
  }
  for (;;) {
    for (const cursor of cursors) if (cursor.dry) await cursor.read(source, learn)
    const cursor = cursors.reduce<Cursor | undefined>(
      (first, each) => (each.time < (first?.time ?? Infinity) ? each : first),
      undefined,
    )
    if (!cursor) break
    const record = cursor.take(isChosen)
    if (record) chosen.push(record)
    if (chosen.length < room && ++scanned < scannedAtMost) continue
    yield cut()
    room = atOnce()
  }
  yield cut()
}

/** How far one range is read, and what is known of it beyond that. */
class Cursor {
  private readonly topic: string
  private readonly partition: number
  private readonly to: number
  private next: number
  private cutAt: number
  private scanned = 0
  private selected = 0
  private records: readonly KafkaMessage[] = []
  private index = 0
  private readTo: number
  /** When the next record was written; never, if there is none. */
  time = Infinity

  constructor({ topic, partition, next, to }: { topic: string; partition: number; next: number; to: number }) {
    this.topic = topic
    this.partition = partition
    this.to = to
    this.next = this.cutAt = this.readTo = next
  }

  get dry(): boolean {
    return this.index === this.records.length && this.next < this.to
  }

  async read(source: RangeSource, learn: StretchOptions['learn']): Promise<void> {
    while (this.dry) {
      const found = await source.next(this.topic, this.partition)
      this.records = found?.records ?? []
      this.index = 0
      this.readTo = found?.to ?? this.to
      await learn(this.records)
      this.moveOn()
    }
  }

  take(isChosen: StretchOptions['isChosen']): ChosenRecord | undefined {
    const message = this.records[this.index++]!
    const scannedBefore = this.scanned++
    this.moveOn()
    if (!isChosen(message)) return undefined
    this.selected++
    const { topic, partition } = this
    return { topic, partition, offset: Number(message.offset), message, scannedBefore }
  }

  /** What has been read since the last cut. */
  cut(): Advance[] {
    const { topic, partition, next, scanned, selected } = this
    if (next === this.cutAt) return []
    this.cutAt = next
    this.scanned = this.selected = 0
    return [{ topic, partition, next, scanned, selected }]
  }

  private moveOn(): void {
    const message = this.records[this.index]
    this.next = message ? Number(message.offset) : this.readTo
    this.time = message ? Number(message.timestamp) || 0 : Infinity
  }
}

/** How far the ranges are if nothing was done from one chosen record on. */
export function advancesBefore({ chosen, advances }: Stretch, stop: ChosenRecord): Advance[] {
  const end = chosen.indexOf(stop)
  return advances.flatMap((advance) => {
    const ofRange = ({ topic, partition }: ChosenRecord) => topic === advance.topic && partition === advance.partition
    const left = chosen.slice(end).find(ofRange)
    if (!left) return [advance]
    return [
      {
        ...advance,
        next: left.offset,
        scanned: left.scannedBefore,
        selected: chosen.slice(0, end).filter(ofRange).length,
      },
    ]
  })
}
