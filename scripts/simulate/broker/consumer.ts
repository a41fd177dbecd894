import type { ConsumerConfig, EachBatchPayload, PartitionAssigner } from 'kafkajs'
import { setTimeout as delay } from 'node:timers/promises'
import type { StoredRecord } from './broker.ts'
import { FetchedBatch } from './fetched-batch.ts'
import type { Assignment } from './group.ts'
import { GroupError } from './group.ts'
import type { Wire } from './wire.ts'
import { request } from './wire.ts'

type EachBatch = (payload: EachBatchPayload) => Promise<void>
interface Place {
  topic: string
  partition: number
}
const nameOf = ({ topic, partition }: Place) => `${topic}/${partition}`

/** Longest wait of a fetch for records, milliseconds. */
const waitMs = 600

/**
 * Behaves like a kafkajs consumer: joins, fetches all its partitions at once, hands out batches, waits for all of them, and
 * emits instrumentation events. Seeks and pauses take effect at the next fetch, as in kafkajs.
 */
export class SimulatedConsumer {
  readonly events = {
    GROUP_JOIN: 'join',
    HEARTBEAT: 'heartbeat',
    FETCH: 'fetch',
    END_BATCH_PROCESS: 'end',
    CRASH: 'crash',
    REQUEST_TIMEOUT: 'timeout',
  } as const
  private readonly wire: Wire
  private readonly config: ConsumerConfig
  private readonly listeners = new Map<string, (event: { payload: unknown }) => void>()
  private readonly paused = new Set<string>()
  private readonly seeks = new Map<string, number>()
  private readonly next = new Map<string, number>()
  private topics: string[] = []
  private eachBatch: EachBatch = async () => {}
  private assigned: Place[] = []
  private memberId = ''
  private generation = 0
  private lastHeartbeat = 0
  private running = true

  constructor(wire: Wire, config: ConsumerConfig) {
    this.wire = wire
    this.config = config
  }

  on(event: string, listener: (event: { payload: unknown }) => void): void {
    this.listeners.set(event, listener)
  }

  connect(): Promise<void> {
    return request(this.wire, () => {})
  }

  async subscribe({ topics }: { topics: string[] }): Promise<void> {
    this.topics = topics
  }

  async run({ eachBatch }: { eachBatch: EachBatch }): Promise<void> {
    this.eachBatch = eachBatch
    await this.patiently(() => this.join())
    void this.consume()
  }

  pause(partitions: { topic: string; partitions: number[] }[]): void {
    for (const place of placesOf(partitions)) this.paused.add(nameOf(place))
  }

  resume(partitions: { topic: string; partitions: number[] }[]): void {
    for (const place of placesOf(partitions)) this.paused.delete(nameOf(place))
  }

  seek({ topic, partition, offset }: Place & { offset: string }): void {
    this.seeks.set(nameOf({ topic, partition }), Number(offset))
  }

  commitOffsets(): Promise<void> {
    return request(this.wire, () => {})
  }

  async disconnect(): Promise<void> {
    this.running = false
    await request(this.wire, () => this.wire.group.leave(this.memberId)).catch(() => {})
  }

  private emit(event: string, payload: unknown = {}): void {
    this.listeners.get(event)?.({ payload })
  }

  private async consume(): Promise<void> {
    while (this.running) {
      try {
        await this.fetch()
      } catch (error) {
        if (!(error instanceof GroupError)) await delay(50)
        else if (this.running) await this.patiently(() => this.join())
      }
    }
  }

  private async patiently(work: () => Promise<void>): Promise<void> {
    while (this.running) {
      try {
        return await work()
      } catch {
        await delay(100)
      }
    }
  }

  private async join(): Promise<void> {
    const { wire, config, topics } = this
    const cluster = {
      findTopicPartitionMetadata: () =>
        Array.from({ length: wire.broker.partitions }, (_, partitionId) => ({ partitionId })),
    }
    const [createAssigner] = config.partitionAssigners ?? []
    const assigner = createAssigner?.({ cluster } as unknown as Parameters<PartitionAssigner>[0])
    if (!assigner) return
    this.memberId ||= wire.group.newMemberId(wire.party.name)
    const joining = {
      memberId: this.memberId,
      metadata: assigner.protocol({ topics }).metadata,
      sessionTimeoutMs: config.sessionTimeout ?? 0,
      rebalanceTimeoutMs: config.rebalanceTimeout ?? 0,
      assigner,
      topics,
    }
    const { generation, assignment } = await request(wire, () => wire.group.join(joining))
    this.generation = generation
    this.assigned = placesOf(Object.entries(assignment).map(([topic, partitions]) => ({ topic, partitions })))
    this.next.clear() // Without a seek it reads from the committed offsets
    this.emit('join', { memberAssignment: assignment satisfies Assignment })
  }

  private async heartbeat(): Promise<void> {
    const { clock, group } = this.wire
    if (clock.now - this.lastHeartbeat < (this.config.heartbeatInterval ?? 0)) return
    this.lastHeartbeat = clock.now
    const { memberId, generation } = this
    await request(this.wire, () => group.heartbeat(memberId, generation)).catch((error: unknown) => {
      if (error instanceof GroupError && error.type === 'UNKNOWN_MEMBER_ID') this.memberId = ''
      throw error
    })
    this.emit('heartbeat')
  }

  private async fetch(): Promise<void> {
    const { wire } = this
    const { random, faults, broker } = wire
    for (const place of this.assigned) {
      const seek = this.seeks.get(nameOf(place))
      if (seek !== undefined) this.next.set(nameOf(place), seek)
      else if (random.chance(faults.reset)) this.next.set(nameOf(place), 0)
      this.seeks.delete(nameOf(place))
    }
    const wanted = this.assigned
      .filter((place) => !this.paused.has(nameOf(place)))
      .map((place) => ({ place, from: this.next.get(nameOf(place)) ?? 0 }))
    if (wanted.length === 0) {
      await delay(waitMs)
      return this.heartbeat()
    }
    const read = () => wanted.map(({ place, from }) => ({ place, from, records: this.read(place, from) }))
    const found = await request(wire, async () => {
      if (read().every(({ records }) => records.length === 0)) await broker.change(waitMs)
      return read()
    })
    wire.clock.trace?.(
      `fetched ${found.map(({ place, from, records }) => `${nameOf(place)} from ${from}: ${records.length}`).join(', ')}`,
    )
    this.emit('fetch')
    const batches = found
      .filter(({ place }) => !this.seeks.has(nameOf(place)) && !this.paused.has(nameOf(place)))
      .filter(({ records }) => records.length > 0)
      .map(({ place, from, records }) => batchOf(place, from, records, broker.end(place.topic, place.partition)))
    if (batches.length === 0) await this.heartbeat()
    await Promise.all(batches.map((batch) => this.handle(batch)))
  }

  /** A fetch returns whole record batches: it may begin before the offset that was asked for, and end anywhere. */
  private read({ topic, partition }: Place, from: number): StoredRecord[] {
    const { broker, random } = this.wire
    const records = broker.records(topic, partition)
    const first = records.findIndex(({ offset }) => Number(offset) >= from)
    if (first === -1) return []
    return records.slice(Math.max(0, first - random.integer(0, 2)), first + random.integer(1, 12))
  }

  private async handle(batch: FetchedBatch): Promise<void> {
    const { topic, partition } = batch
    const place = nameOf(batch)
    const ended = () => {
      const [firstOffset, lastOffset] = [batch.firstOffset(), batch.lastOffset()]
      this.emit('end', { topic, partition, batchSize: batch.messages.length, firstOffset, lastOffset })
    }
    if (batch.isEmptyDueToFiltering()) {
      this.next.set(place, Number(batch.lastOffset()) + 1)
      ended()
      return this.heartbeat()
    }
    const last = batch.messages.at(-1)?.offset
    await this.eachBatch({
      batch,
      // The control record after the last message is skipped with it
      resolveOffset: (offset: string) =>
        this.next.set(place, Number(offset === last ? batch.lastOffset() : offset) + 1),
      heartbeat: () => this.heartbeat(),
      isRunning: () => this.running,
      isStale: () => this.seeks.has(place),
    } as unknown as EachBatchPayload)
    ended()
    await this.heartbeat()
  }
}

const batchOf = ({ topic, partition }: Place, from: number, messages: StoredRecord[], end: number) =>
  new FetchedBatch(topic, String(from), { partition, highWatermark: String(end), messages, abortedTransactions: [] })

const placesOf = (shares: readonly { topic: string; partitions: readonly number[] }[]): Place[] =>
  shares.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
