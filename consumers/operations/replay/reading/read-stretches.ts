import type { KafkaMessage } from 'kafkajs'
import type { Advance } from '../mode.ts'

/** Reads ranges, each in its own order; topic names without namespace. */
export interface RangeSource {
  /** The next records of a range, up to the offset `to` (exclusive); undefined at its end. */
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
  /** Records of its range before it in this stretch. */
  readonly scannedBefore: number
}

/** A part of several ranges: its selected records, and the progress of each range after it. */
export interface Stretch {
  readonly chosen: readonly ChosenRecord[]
  readonly advances: readonly Advance[]
}

export interface StretchOptions {
  /** Called with records before `isChosen` is called for them. */
  learn(records: readonly KafkaMessage[]): Promise<void>
  isChosen(message: KafkaMessage): boolean
  /** Maximum number of selected records in the next stretch. */
  atOnce(): number
}

const scannedAtMost = 10_000

/**
 * Reads ranges in parallel, merged by time as far as the order within each range allows, so that causes mostly precede their
 * effects.
 * @param ranges the next offset of each, and its end (exclusive)
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

/** The reading position in one range, and records fetched beyond it. */
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
  /** The time of the next record; infinite if there is none. */
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

  /** Progress since the last cut. */
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

/** The progress of a stretch that was processed only up to a selected record (exclusive). */
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
