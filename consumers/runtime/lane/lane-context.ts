import type { ErrorCode } from '../../../infra/errors.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Relay } from '../../../producers/outbox/relay.ts'
import type { RequestProcessorOptions } from '../batch/process-request.ts'
import type { TopicStart } from '../tables/ledger.ts'
import type { Caller } from './caller.ts'

/**
 * - claiming  waits for the database to confirm that this process owns the lane, at the start or after a failure
 * - live      owned by this process: inputs may be processed
 * - fenced    has another owner: nothing is attempted until the group confirms that the lane belongs to this process
 * - stopped   cannot continue without an operator (see `LANE_STOPPED`)
 * - dropped   no longer assigned to this process
 */
export type LanePhase = 'claiming' | 'live' | 'fenced' | 'stopped' | 'dropped'

/** The resources a lane uses from its process. */
export interface LaneContext extends Pick<RequestProcessorOptions, 'groups' | 'codec' | 'handled' | 'partitions'> {
  pool: Pool
  /** Name of the consumer. */
  group: string
  /** Name of this replica. */
  owner: string
  /** Generation of the topics this replica reads. */
  generation: number
  /** Runs the work of this process's careful lanes one at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  /** Limits the concurrent claims of this process to its database connections. */
  claims<T>(work: () => Promise<T>): Promise<T>
  /** Writes the conditions of this process's lanes one at a time. */
  noting<T>(work: () => Promise<T>): Promise<T>
  /** How many events a lane may park. */
  parkedLimit: number
  relay: Relay
  caller: Caller
  log: Logger
  /** Told when the lane has turned out to have another owner. */
  fenced?(): void
  /** Call after work that may have left timers or parked events due soon. */
  stir(): void
  /** The lane's topics as the broker describes them. */
  topicStarts(lane: number): Promise<readonly TopicStart[]>
  /** Resumes fetching, from `lane.position` on. */
  readOn(lane: number): void
  /** Stops fetching until `readOn`. */
  pauseFetching(lane: number): void
}

/** Errors that recover automatically or by operator action while the lane stays ours. */
export const waitsFor: ReadonlySet<ErrorCode> = new Set(['UNREACHABLE', 'DENIED', 'LANE_FULL', 'FAILING'])

/**
 * The reason why a lane stopped, with the command that gets it going: every stop names one.
 * @param group name of the consumer
 */
export const withWayOn = (reason: string, group: string, lane: number): string =>
  reason.includes('npm run ')
    ? reason
    : `${reason}; to see what is lost and to resume: npm run lanes -- accept-loss ${group}/${lane} --why "…"`
