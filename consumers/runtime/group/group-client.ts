import { setTimeout as delay } from 'node:timers/promises'
import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload, Kafka } from 'kafkajs'
import { describeError } from '../../../infra/errors.ts'
import { attend, heartbeatEveryMs } from '../../../infra/kafka/patches/idle-fetch.ts'
import { isPassingAnswer } from '../../../infra/kafka/passing-answers.ts'
import type { Logger } from '../../../infra/logger.ts'
import { settlesWithin } from '../../../infra/promises.ts'
import { noHeartbeat } from '../tables/lane-state.ts'
import { laneAssigner } from './lane-assigner.ts'

export interface GroupClientOptions {
  kafka: Kafka
  groupId: string
  /** Topics as named on the broker. */
  topics: readonly string[]
  partitions: number
  sessionTimeoutMs: number
  log: Logger
  /** Lanes this process holds, with their epochs; undefined if it is about to leave. */
  held(): ReadonlyMap<number, number> | undefined
  /** Called during each join, before the first fetch of the group's new generation. */
  joined(event: ConsumerGroupJoinEvent['payload']): void
  /** Called after each answered heartbeat. */
  confirmed(): void
  eachBatch(payload: EachBatchPayload): Promise<void>
  /** Called when the client has skipped these records; `topic` as named on the broker. */
  passedOver(topic: string, partition: number, firstOffset: number, lastOffset: number): void
  /**
   * Called repeatedly with the reason while no heartbeat is answered, and with undefined once they are answered again.
   */
  unheard(reason: string | undefined): void
}

const watchEveryMs = 250
const firstBackoffMs = 100
const longestBackoffMs = 1_000
const leavePatienceMs = 3_000

/**
 * The kafkajs consumer of this process. It is replaced by a new one whenever it crashes or receives no answer to its
 * heartbeats, because a new client finds the brokers that are up. To the lanes, a replacement is only another join.
 */
export class GroupClient {
  private readonly options: GroupClientOptions
  private current: Consumer | undefined
  private lastSign = performance.now()
  private joined = false
  private openedAt = performance.now()
  /** Why the client must be replaced. */
  private fault: string | undefined
  private replacing = false
  private leaving = false
  private watching: NodeJS.Timeout | undefined

  constructor(options: GroupClientOptions) {
    this.options = options
  }

  /** Why the group may have given this member's lanes away; undefined while heartbeats are answered. */
  get silence(): string | undefined {
    if (!this.joined) return 'has not joined its group yet'
    return performance.now() - this.lastSign < this.limitMs ? undefined : noHeartbeat
  }

  /** @throws Error while the client is being replaced */
  get consumer(): Consumer {
    if (!this.current) throw new Error('the group client is being replaced')
    return this.current
  }

  /** @throws errors of kafkajs if no broker answers at the start */
  async start(): Promise<void> {
    await this.open()
    if (!this.leaving) this.watching = setInterval(() => this.watch(), watchEveryMs)
  }

  /** Leaves the group. Gives up after a few seconds if no broker answers. */
  async leave(): Promise<void> {
    this.leaving = true
    clearInterval(this.watching)
    await settlesWithin(this.current?.disconnect() ?? Promise.resolve(), leavePatienceMs)
  }

  /** Call when the group may be about to change: an idle member then learns of it as soon as a busy one. */
  attend(): void {
    try {
      if (this.current) attend(this.current)
    } catch {
      // It is not running yet, or rejoins: then it is not idle
    }
  }

  private async open(): Promise<void> {
    const { options } = this
    const { kafka, groupId, sessionTimeoutMs, topics, partitions } = options
    const consumer = kafka.consumer({
      groupId,
      partitionAssigners: [laneAssigner(() => options.held())],
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs(sessionTimeoutMs),
      // Members learn of a rebalance from heartbeats, and all of them wait for the last member to learn of it
      heartbeatInterval: heartbeatEveryMs(sessionTimeoutMs),
      maxWaitTimeInMs: 100,
      minBytes: 1,
      maxBytesPerPartition: 256 * 1024,
      allowAutoTopicCreation: false,
      // Fetches are retried while heartbeats are answered, because electing a partition's new leader may take long
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1_000_000, restartOnFailure: async () => false },
    })
    this.current = consumer
    this.openedAt = performance.now()
    const own = () => this.current === consumer && !this.leaving
    const { GROUP_JOIN, HEARTBEAT, END_BATCH_PROCESS, CRASH } = consumer.events
    consumer.on(GROUP_JOIN, ({ payload }) => {
      if (this.current !== consumer) return
      this.fault = undefined // A slow start that succeeded is not a fault
      this.heard()
      this.joined = true
      options.joined(payload)
    })
    consumer.on(HEARTBEAT, () => {
      if (this.current !== consumer) return
      this.heard()
      options.confirmed()
    })
    consumer.on(END_BATCH_PROCESS, ({ payload }) => {
      const { topic, partition, batchSize, firstOffset, lastOffset } = payload
      if (batchSize === 0 && this.current === consumer)
        options.passedOver(topic, partition, Number(firstOffset ?? lastOffset), Number(lastOffset))
    })
    consumer.on(CRASH, ({ payload }) => {
      if (own()) this.replace(`it crashed: ${describeError(payload.error)}`, isPassingAnswer(payload.error))
    })
    // `connect` of kafkajs can complete after `disconnect`. A replaced client must not join: the group would assign
    // lanes to it
    const goodbye = () => void consumer.disconnect().catch(() => {})
    await consumer.connect()
    if (!own()) return goodbye()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    if (!own()) return goodbye()
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: topics.length * partitions,
      eachBatch: async (payload) => {
        if (this.current === consumer) await options.eachBatch(payload)
      },
    })
    if (!own()) goodbye()
  }

  private heard(): void {
    this.lastSign = performance.now()
    this.options.unheard(undefined)
  }

  private watch(): void {
    const silentMs = performance.now() - this.lastSign
    const { limitMs } = this
    const { sessionTimeoutMs, unheard } = this.options
    if (silentMs < limitMs) return
    unheard(noHeartbeat)
    // kafkajs finds the coordinator and rejoins by itself. Replace the client only if that fails: a new client is
    // another member, and the group waits for the old one until its session ends
    const patienceMs = limitMs + rebalanceTimeoutMs(sessionTimeoutMs)
    if (silentMs > patienceMs && performance.now() - this.openedAt > patienceMs)
      this.replace(`no heartbeat was answered for ${Math.round(silentMs / 1_000)} s`)
  }

  /** Silence for this time is worth reporting: during a join no heartbeat is sent. */
  private get limitMs(): number {
    const { sessionTimeoutMs } = this.options
    return Math.max(sessionTimeoutMs, rebalanceTimeoutMs(sessionTimeoutMs) + 1_000)
  }

  /** @param expected it belongs to the start of a group: a warning only if it happens again at once */
  private replace(fault: string, expected = false): void {
    this.fault = fault
    if (!this.replacing) void this.untilOpen(expected)
  }

  private async untilOpen(expected: boolean): Promise<void> {
    this.replacing = true
    let level: 'info' | 'warn' = expected ? 'info' : 'warn'
    for (let backoffMs = firstBackoffMs; this.fault !== undefined && !this.leaving; ) {
      this.options.log[level]({ reason: this.fault }, 'the group client is replaced')
      level = 'warn'
      this.fault = undefined
      this.discard()
      const opening = this.open().catch((error: unknown) => {
        this.fault = describeError(error)
      })
      if (!(await settlesWithin(opening, this.options.sessionTimeoutMs + 10_000))) this.fault = 'it does not start'
      if (this.fault === undefined) break
      await delay(backoffMs)
      backoffMs = Math.min(longestBackoffMs, backoffMs * 2)
    }
    this.replacing = false
  }

  /** Disconnects the old client in the background. */
  private discard(): void {
    const old = this.current
    this.current = undefined
    void old?.disconnect().catch(() => {})
  }
}

const rebalanceTimeoutMs = (sessionTimeoutMs: number): number => Math.max(3_000, sessionTimeoutMs / 2)
