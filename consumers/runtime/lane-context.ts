import type { Logger } from '../../infra/telemetry.ts'
import type { Relay } from '../../producers/outbox/relay.ts'
import type { Caller } from './caller.ts'
import type { Batch } from './input.ts'
import type { TopicStart } from './ledger.ts'
import type { TakeContext } from './take-batch.ts'

/** What a lane needs of its process. */
export interface LaneContext<State, Row> extends TakeContext<State, Row> {
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
