import type { Pool } from '../../../infra/postgres/postgres.ts'
import { countStart } from '../tables/lane-state.ts'
import type { Begun } from '../tables/lane-state.ts'
import type { Position, TopicStart } from '../tables/ledger.ts'
import { openLedger, raiseEpoch } from '../tables/ledger.ts'

/** What an owner knows of its lane when it takes it over. */
export interface Claim {
  readonly epoch: number
  readonly positions: Map<string, Position>
  readonly begun: Begun
}

export interface ClaimOptions {
  /** Set once this process holds the lane: from then on it claims again only if nobody else came since. */
  heldEpoch: number | undefined
  /** Whether the claim counts as a start: a repeated one does not, this process did not die. */
  readonly counts: boolean
  wanted(): boolean
}

/**
 * Takes a lane over in three transactions: the epoch first, because the ledger must be read after the wait for the lane's
 * row, and the count of starts last.
 * @returns undefined if the lane is not wanted any more
 * @throws TallyError FENCED, LANE_STOPPED, UNREACHABLE; database errors as they come
 */
export async function claimLane(
  {
    pool,
    owner,
    generation,
    topicStarts,
  }: { pool: Pool; owner: string; generation: number; topicStarts(lane: number): Promise<readonly TopicStart[]> },
  lane: number,
  options: ClaimOptions,
): Promise<Claim | undefined> {
  const starts = await topicStarts(lane)
  if (!options.wanted()) return undefined
  const epoch = await raiseEpoch(pool, lane, owner, options.heldEpoch, generation)
  options.heldEpoch = epoch
  if (!options.wanted()) return undefined
  const own = { lane, epoch }
  const positions = await openLedger(pool, own, starts)
  return { epoch, positions, begun: await countStart(pool, own, options.counts) }
}
