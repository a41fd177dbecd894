import { countStart } from '../tables/lane-state.ts'
import type { Begun } from '../tables/lane-state.ts'
import type { Position } from '../tables/ledger.ts'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { openLedger } from '../tables/ledger.ts'
import type { LaneContext } from './lane-context.ts'

/** A lane as its owner sees it after claiming it. */
export interface Claim {
  readonly epoch: number
  readonly positions: Map<string, Position>
  readonly begun: Begun
}

export interface ClaimOptions {
  /** Set once this process holds the lane: the claim then succeeds only if no other process has claimed it since. */
  heldEpoch: number | undefined
  /** Whether the claim counts as a start. A repeated claim does not: this process did not die. */
  readonly counts: boolean
  wanted(): boolean
}

type ClaimContext = Pick<LaneContext, 'pool' | 'owner' | 'generation' | 'topicStarts' | 'claims'>

/**
 * Claims a lane in three transactions: the epoch first, because the ledger must be read after the wait for the lane's
 * row; then the ledger; last the count of starts.
 * @returns undefined if this process no longer wants the lane
 * @throws TallyError FENCED, LANE_STOPPED, UNREACHABLE; database errors unchanged
 */
export async function claimLane(
  { pool, owner, generation, topicStarts, claims }: ClaimContext,
  lane: number,
  options: ClaimOptions,
): Promise<Claim | undefined> {
  const starts = await topicStarts(lane)
  return claims(async () => {
    if (!options.wanted()) return undefined
    const epoch = await raiseEpoch(pool, lane, owner, options.heldEpoch, generation)
    options.heldEpoch = epoch
    if (!options.wanted()) return undefined
    const own = { lane, epoch }
    const positions = await openLedger(pool, own, starts)
    return { epoch, positions, begun: await countStart(pool, own, options.counts) }
  })
}
