import type { ErrorCode } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Relay } from '../../../producers/outbox/relay.ts'
import type { BatchGroups } from '../batch/batch-groups.ts'
import type { Caller } from './caller.ts'
import type { Batch } from '../model.ts'
import type { TopicStart } from '../tables/ledger.ts'
import type { TakeContext } from '../batch/take-batch.ts'

/**
 * - claiming  waits for the database to say that the lane is ours, from the start or after a failure
 * - live      ours: inputs may be taken
 * - fenced    someone else took it: nothing more is tried until the group confirms that it is ours
 * - stopped   cannot go on without a person (see `LANE_STOPPED`)
 * - dropped   not assigned to this process any more
 */
export type LanePhase = 'claiming' | 'live' | 'fenced' | 'stopped' | 'dropped'

/** What a lane needs of its process. */
export interface LaneContext<State, Row> extends TakeContext<State, Row> {
  groups: BatchGroups<State, Row>
  /** Runs the work of careful lanes of the process one at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  relay: Relay
  caller: Caller
  log: Logger
  /** What the broker says of the lane's topics. */
  topicStarts(lane: number): Promise<readonly TopicStart[]>
  /** Fetch again, from `lane.position` on. */
  readOn(lane: number): void
  /** Fetch no more until told to read on. */
  pauseFetching(lane: number): void
}

/** What is to be taken: known by the name of its first input, read when its turn has come. */
export interface Request {
  readonly name: string
  readonly inputs: number
  /** @param killer why the only input must not even be decoded */
  read(killer?: string): Promise<Batch>
}

/** Heals by itself, or by a person, while the lane stays ours. */
export const waitsFor: ReadonlySet<ErrorCode> = new Set(['UNREACHABLE', 'LANE_FULL', 'FAILING'])
