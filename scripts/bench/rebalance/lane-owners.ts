import kafkajs from 'kafkajs'
import type { Admin } from 'kafkajs'
import { waitUntil } from '../../../infra/testing/wait-until.ts'

const { MemberAssignment } = kafkajs.AssignerProtocol

/** Owner of each lane according to the group's coordinator; empty during a rebalance. */
export async function readOwners(admin: Admin, group: string, topic: string): Promise<ReadonlyMap<number, string>> {
  const { groups } = await admin.describeGroups([group])
  const owners = new Map<number, string>()
  for (const { memberId, memberAssignment } of groups[0]?.members ?? []) {
    const own = memberAssignment.length > 0 ? MemberAssignment.decode(memberAssignment)?.assignment[topic] : undefined
    for (const lane of own ?? []) owners.set(lane, memberId)
  }
  return owners
}

/** @throws Error if the lanes are not distributed over `replicas` members within 30 s */
export const waitForOwners = (
  admin: Admin,
  group: string,
  topic: string,
  { lanes, replicas }: { lanes: number; replicas: number },
): Promise<ReadonlyMap<number, string>> =>
  waitUntil(
    `${replicas} replicas share ${lanes} lanes`,
    async () => {
      const owners = await readOwners(admin, group, topic)
      return owners.size === lanes && new Set(owners.values()).size === replicas ? owners : undefined
    },
    { withinMs: 30_000, everyMs: 100 },
  )
