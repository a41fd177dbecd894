import { laneRanges } from '../lanes/lane-ranges.ts'
import type { LaneProgress } from './lane-progress.ts'

/**
 * Why the lanes of a consumer are not balanced yet; undefined if they are. Every lane must be claimed by a live
 * replica, the numbers of lanes may differ by at most one, and no replica may be idle while others hold two lanes.
 * @param pids of its replicas in the stack; others may run beside them
 */
export function unsettled(
  lanes: readonly LaneProgress[],
  partitions: number,
  pids: readonly number[],
): string | undefined {
  const claimed = lanes.filter((lane) => lane.claimed)
  const free = [...Array(partitions).keys()].filter((number) => !claimed.some(({ lane }) => lane === number))
  if (free.length > 0) return `no replica has lane ${laneRanges(free)}`
  const shares = [...Map.groupBy(claimed, ({ owner }) => owner).values()].map((own) => own.length)
  const idle = pids.filter((pid) => !claimed.some(({ owner }) => pidOf(owner) === pid)).length
  if (idle > Math.max(0, pids.length - partitions)) return `${idle} of its replicas have no lane`
  if (Math.max(...shares) - Math.min(...shares) > 1) return `lanes are shared unevenly: ${shares.join(', ')}`
  return undefined
}

/** Of the replica's process: it is called `payment@host:1234`. */
export const pidOf = (owner: string | null): number => Number(owner?.slice(owner.lastIndexOf(':') + 1))
