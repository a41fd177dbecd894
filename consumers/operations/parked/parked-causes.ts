import { listCauses } from '../../runtime/tables/parked-figures.ts'
import type { ParkedCause } from '../../runtime/tables/parked-figures.ts'
import type { OpenGroup } from './parked-groups.ts'

/** Parked events of a group that have one cause. */
export type GroupCause = ParkedCause & { readonly group: string }

/** Why events are parked: by group, reason, type and error, without what differs from event to event. */
export async function readCauses(groups: readonly OpenGroup[]): Promise<GroupCause[]> {
  const causes = await Promise.all(
    groups.map(async ({ name, pool }) => (await listCauses(pool)).map((cause) => ({ group: name, ...cause }))),
  )
  return causes
    .flat()
    .toSorted((a, b) => Number(a.reason === 'BEHIND') - Number(b.reason === 'BEHIND') || b.events - a.events)
}
