import kafkajs from 'kafkajs'
import type { PartitionAssigner } from 'kafkajs'

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol

/**
 * Assigns whole lanes: one partition number of every topic to one member. A lane stays with the member that holds it at
 * the highest epoch unless the load must be balanced, so as few lanes as possible move.
 * @param held lanes this process holds, with their epochs, or undefined if it is about to leave and wants none; sent to
 *   the group's leader at every join
 */
export const laneAssigner =
  (held: () => ReadonlyMap<number, number> | undefined): PartitionAssigner =>
  ({ cluster }) => ({
    name: 'tally-lanes',
    version: 0, // Sent as the version of the consumer protocol: must stay 0
    protocol({ topics }) {
      const own = held()
      const userData = Buffer.from(JSON.stringify(own ? [...own] : null))
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

function heldLanes(memberMetadata: Buffer): Map<number, number> | undefined {
  const userData = MemberMetadata.decode(memberMetadata)?.userData
  const held = userData?.length ? (JSON.parse(userData.toString()) as [number, number][] | null) : []
  return held ? new Map(held) : undefined
}

export interface GroupMember {
  readonly memberId: string
  /** Lanes with their epochs; undefined if the member is about to leave. */
  readonly held: ReadonlyMap<number, number> | undefined
}

/** Balances lanes over the members that stay, to within one lane; no member gets any if all leave. Pure. */
export function shareLanes(lanes: readonly number[], members: readonly GroupMember[]): Map<string, number[]> {
  const staying = members
    .flatMap(({ memberId, held }) => (held ? [{ memberId, held }] : []))
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const everyone = new Map<string, number[]>(members.map(({ memberId }) => [memberId, []]))
  if (staying.length === 0) return everyone
  const shares = new Map<string, number[]>(staying.map(({ memberId }) => [memberId, []]))
  const free: number[] = []
  for (const lane of [...lanes].sort((a, b) => a - b)) {
    const [holder] = staying
      .filter(({ held }) => held.has(lane))
      .sort((a, b) => (b.held.get(lane) ?? 0) - (a.held.get(lane) ?? 0))
    if (holder) shares.get(holder.memberId)?.push(lane)
    else free.push(lane)
  }
  const floor = Math.floor(lanes.length / staying.length)
  let extra = lanes.length % staying.length
  for (const own of [...shares.values()].sort((a, b) => b.length - a.length)) {
    const keep = own.length > floor && extra > 0 ? floor + 1 : floor
    if (keep > floor) extra--
    free.push(...own.splice(keep))
  }
  for (const lane of free) {
    const fewest = [...shares.values()].reduce((least, own) => (own.length < least.length ? own : least))
    fewest.push(lane)
  }
  return new Map([...everyone, ...shares])
}
