import type { IHeaders } from 'kafkajs'
import type { VirtualClock } from '../time/virtual-clock.ts'
import { beginning } from '../time/take-over-time.ts'

/** A record as kafkajs decodes it. */
export interface StoredRecord {
  offset: string
  key: Buffer | null
  value: Buffer | null
  headers: IHeaders
  timestamp: string
  isControlRecord: boolean
}

export interface NewRecord {
  key: string | Buffer | null
  value: Buffer | null
  headers: Record<string, string | Buffer>
}

/** The logs of all topics. Offsets may have gaps, because of control records and compaction. */
export class Broker {
  readonly topics: readonly string[]
  readonly partitions: number
  private readonly clock: VirtualClock
  private readonly logs = new Map<string, { records: StoredRecord[]; next: number }>()
  private readonly appended: (topic: string, partition: number, record: StoredRecord) => void
  private waiting: (() => void)[] = []

  constructor(
    clock: VirtualClock,
    topics: readonly string[],
    partitions: number,
    appended: (topic: string, partition: number, record: StoredRecord) => void,
  ) {
    this.clock = clock
    this.topics = topics
    this.partitions = partitions
    this.appended = appended
  }

  append(topic: string, partition: number, { key, value, headers }: NewRecord): void {
    const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])
    this.store(topic, partition, {
      key: key === null ? null : Buffer.from(key),
      value,
      headers: Object.fromEntries(bytes) as IHeaders,
      isControlRecord: false,
    })
  }

  /** Appends the end of a transaction: a record that uses an offset and that no reader sees. */
  appendControlRecord(topic: string, partition: number): void {
    this.store(topic, partition, { key: null, value: null, headers: {}, isControlRecord: true })
  }

  /** Leaves a gap of one offset, as compaction does. */
  skipOffset(topic: string, partition: number): void {
    this.log(topic, partition).next++
  }

  records(topic: string, partition: number): readonly StoredRecord[] {
    return this.log(topic, partition).records
  }

  /** Offset of the next record. */
  end(topic: string, partition: number): number {
    return this.log(topic, partition).next
  }

  /** Resolves at the next append or after a timeout. */
  change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        timeout.cancelled = true
        this.waiting = this.waiting.filter((other) => other !== go)
        resolve()
      }
      const timeout = this.clock.after(withinMs, go)
      const { party } = this.clock
      this.waiting.push(() => void this.clock.after(0, go, party))
    })
  }

  private store(topic: string, partition: number, record: Omit<StoredRecord, 'offset' | 'timestamp'>): void {
    const log = this.log(topic, partition)
    const place = { offset: String(log.next++), timestamp: String(beginning + Math.floor(this.clock.now)) }
    const stored = { ...record, ...place }
    log.records.push(stored)
    this.appended(topic, partition, stored)
    for (const go of this.waiting.splice(0)) go()
  }

  private log(topic: string, partition: number): { records: StoredRecord[]; next: number } {
    const place = `${topic}/${partition}`
    const log = this.logs.get(place) ?? { records: [], next: 0 }
    this.logs.set(place, log)
    return log
  }
}
