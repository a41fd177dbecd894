import type { Batch, Kafka } from 'kafkajs'
import type { Logger } from '../../../infra/logger.ts'

/** The part of a lane that membership uses; `Lane` in lane/lane.ts implements it. */
export interface MemberLane {
  readonly number: number
  readonly phase: string
  /** Whether the lane processes records now. */
  readonly accepting: boolean
  readonly epoch: number
  /** When it was fenced, by `performance.now()`. */
  readonly fencedAt: number
  /** Resolves when the first claim has ended, whether it succeeded or not. */
  readonly claimed: Promise<void>
  /** Next offset of a topic (without namespace); undefined until claimed. */
  position(topic: string): number | undefined
  drop(): Promise<void>
  /** Resolves when the lane's work in progress has ended. */
  idle(): Promise<unknown>
  /**
   * Called repeatedly: with the reason while the group may have reassigned the lane, otherwise with undefined.
   */
  unheard(reason: string | undefined): void
}

/** The group client's view of a fetched batch. */
export interface FetchProgress {
  /** Whether the client still wants more than the first part to be processed now. */
  wanted(): boolean
  /** Call after each part with the last offset processed. */
  reached(offset: number): Promise<void>
}

export interface MembershipOptions<L extends MemberLane> {
  kafka: Kafka
  groupId: string
  namespace: string
  /** Without namespace. */
  topics: readonly string[]
  partitions: number
  sessionTimeoutMs: number
  log: Logger
  /** Begins to claim a lane the group assigned to this process. */
  claim(lane: number): L
  /** Processes a fetched batch of one topic of a live lane; see `FetchedBatches`. */
  fetched: { process(lane: L, batch: Batch, progress: FetchProgress): Promise<'gap' | undefined> }
  /**
   * Resolves when the next fetch should begin: where processors are scarce not at once, so that it brings more.
   * @default at once
   */
  rest?(): Promise<void>
  /** Called inside every join, before lanes are claimed or kept. */
  joining(): void
  /** The client read these records and skipped them: aborted transactions and control records. */
  passedOver(topic: string, partition: number, firstOffset: number, lastOffset: number): void
}
