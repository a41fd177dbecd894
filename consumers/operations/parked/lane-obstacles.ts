import kafkajs from 'kafkajs'
import type { Kafka } from 'kafkajs'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { readReportedStates } from '../../runtime/tables/lane-state.ts'

/** Why a lane's owner does not retry parked events now. */
export interface LaneObstacle {
  readonly lane: number
  /** A clause. */
  readonly why: string
  /** Whether it may recover automatically. */
  readonly heals: boolean
  /** Set if the lane's owner has stopped it: records were lost, or the topic was re-created. */
  readonly stopped?: true
}

/** @param owned lanes that a replica owns, if known */
export async function laneObstacles(
  pool: Pool,
  lanes: readonly number[],
  owned?: ReadonlySet<number>,
): Promise<LaneObstacle[]> {
  return (await readReportedStates(pool, lanes)).flatMap(({ lane, phase, reason, paused, actor }) => {
    const obstacle = (why: string, heals = false) => [{ lane, why, heals }]
    if (paused !== null) return obstacle(`paused by ${actor}: ${paused}`)
    if (owned && !owned.has(lane)) return obstacle('no replica owns it')
    if (phase === 'stopped') return [{ lane, why: `stopped: ${reason}`, heals: false, stopped: true }]
    if (phase === 'waiting') return obstacle(`waits: ${reason}`, true)
    return []
  })
}

/**
 * Lanes that replicas of a group own, according to the group's coordinator. A killed replica counts until its session
 * ends.
 * @param groupId with namespace
 * @returns undefined while the group rebalances
 */
export async function ownedLanes(kafka: Kafka, groupId: string): Promise<Set<number> | undefined> {
  const { groups } = await withAdmin(kafka, (admin) => admin.describeGroups([groupId]))
  const group = groups[0]
  if (group?.state === 'PreparingRebalance' || group?.state === 'CompletingRebalance') return undefined
  const lanes = (group?.members ?? []).flatMap(({ memberAssignment }) =>
    Object.values(kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {}).flat(),
  )
  return new Set(lanes)
}
