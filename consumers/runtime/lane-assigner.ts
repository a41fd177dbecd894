import kafkajs from 'kafkajs'
import type { PartitionAssigner } from 'kafkajs'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol

/**
 * Assigns whole lanes: one partition number of every topic to one member. A lane stays with the member that holds it at
 * the highest epoch unless the load must be evened out, so only lanes that have to move do.
 * @param held lanes this process holds, with their epochs; sent to the group's leader at every join
 */
export const laneAssigner =
  (held: () => ReadonlyMap<number, number>): PartitionAssigner =>
  ({ cluster }) => ({
    name: 'tally-lanes',
    version: 0, // Goes on the wire as the version of the consumer protocol: must stay 0
    protocol({ topics }) {
      const userData = Buffer.from(JSON.stringify([...held()]))
      return { name: this.name, metadata: MemberMetadata.encode({ version: 0, topics, userData }) }
    },
    async assign({ members, topics }) {
      const partitions = new Map(
        topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)]),
      )
      const lanes = [...new Set([...partitions.values()].flat())]
      const holders = members.map(({ memberId, memberMetadata }) => ({ memberId, held: heldLanes(memberMetadata) }))
      return [...shareLanes(lanes, holders)].map(([memberId, own]) => {
        const assignment: Record<string, number[]> = {}
        for (const [topic, existing] of partitions) assignment[topic] = own.filter((lane) => existing.includes(lane))
        return {
          memberId,
          memberAssignment: MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) }),
        }
      })
    },
  })

function heldLanes(memberMetadata: Buffer): Map<number, number> {
  const userData = MemberMetadata.decode(memberMetadata)?.userData
  return new Map(userData?.length ? (JSON.parse(userData.toString()) as [number, number][]) : [])
}

/** Evens lanes out over members; members differ by at most one lane. Pure. */
export function shareLanes(
  lanes: readonly number[],
  members: readonly { memberId: string; held: ReadonlyMap<number, number> }[],
): Map<string, number[]> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const shares = new Map<string, number[]>(sorted.map(({ memberId }) => [memberId, []]))
  const free: number[] = []
  for (const lane of [...lanes].sort((a, b) => a - b)) {
    const [holder] = sorted
      .filter(({ held }) => held.has(lane))
      .sort((a, b) => (b.held.get(lane) ?? 0) - (a.held.get(lane) ?? 0))
    if (holder) shares.get(holder.memberId)?.push(lane)
    else free.push(lane)
  }
  const floor = Math.floor(lanes.length / members.length)
  let extra = lanes.length % members.length
  for (const own of [...shares.values()].sort((a, b) => b.length - a.length)) {
    const keep = own.length > floor && extra > 0 ? floor + 1 : floor
    if (keep > floor) extra--
    free.push(...own.splice(keep))
  }
  for (const lane of free) {
    const fewest = [...shares.values()].reduce((least, own) => (own.length < least.length ? own : least))
    fewest.push(lane)
  }
  return shares
}
