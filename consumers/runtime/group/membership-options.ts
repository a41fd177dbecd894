import type { Batch, Kafka } from 'kafkajs'
import type { Logger } from '../../../infra/logger.ts'

/** What membership needs to know of a lane; `Lane` is one. */
export interface MemberLane {
  readonly number: number
  readonly phase: string
  /** Whether records are wanted. */
  readonly taking: boolean
  readonly epoch: number
  readonly fencedAt: number
  readonly claimed: Promise<void>
  position(topic: string): number | undefined
  drop(): Promise<void>
  idle(): Promise<unknown>
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
  /**
   * Takes what was fetched of one topic of a live lane, in parts: the first, and more as long as it is `wanted`.
   * @param reached called after each part, with the offset reached
   */
  take(lane: L, batch: Batch, wanted: () => boolean, reached: (offset: number) => Promise<void>): Promise<void>
  /** Called inside every join, before lanes are claimed or kept. */
  joining(): void
  /** The client read these records and passed them over: aborted transactions and control records. */
  passedOver(topic: string, partition: number, firstOffset: number, lastOffset: number): void
  /** The group client is dead and will not come back by itself: the process must end. */
  died(reason: string): void
}
