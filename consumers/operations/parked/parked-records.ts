import { countParked, listParked } from '../../runtime/tables/parked-list.ts'
import type { ParkedCount, ParkedEntry } from '../../runtime/tables/parked-list.ts'
import { listCauses } from '../../runtime/tables/parked-figures.ts'
import type { ParkedCause } from '../../runtime/tables/parked-figures.ts'
import type { Chosen } from './choose-parked.ts'
import type { OpenGroup } from './parked-groups.ts'

/** Parked events of a group with one reason. */
export type GroupCount = ParkedCount & { readonly group: string }

/** A parked event of a group. */
export type GroupEntry = ParkedEntry & { readonly group: string }

/** A record, or an answer or timer of one group, with the events it is parked as. */
export interface ParkedRecord {
  /** `orders/3:1200`; null for an answer or timer. */
  readonly record: string | null
  readonly key: string
  readonly type: string | null
  readonly source: string
  /** When the first group parked it. */
  readonly parkedAt: Date
  /** One for each group that has parked it, the oldest first. */
  readonly events: readonly GroupEntry[]
}

/** How many events are chosen, by group and reason. */
export async function countChosen(chosen: readonly Chosen[]): Promise<GroupCount[]> {
  const counts = await Promise.all(
    chosen.map(async ({ group: { name, pool }, selection }) =>
      (await countParked(pool, selection)).map((count) => ({ group: name, ...count })),
    ),
  )
  return counts.flat()
}

export const totalOf = (counts: readonly ParkedCount[]): number => counts.reduce((sum, { events }) => sum + events, 0)

/** The same choice without what was parked after it was counted. */
export const asCounted = (chosen: readonly Chosen[], counts: readonly GroupCount[]): Chosen[] =>
  chosen.map(({ group, selection }) => {
    const upTo = Math.max(0, ...counts.flatMap((count) => (count.group === group.name ? count.lastId : [])))
    return { group, selection: { ...selection, upTo } }
  })

export interface ListOptions {
  readonly limit: number
  /** The newest instead of the oldest. */
  readonly newest?: boolean
}

/** The oldest (or newest) chosen records, each with all chosen groups that have parked it. */
export async function listRecords(
  chosen: readonly Chosen[],
  { limit, newest = false }: ListOptions,
): Promise<ParkedRecord[]> {
  const found = byRecord(await entriesOf(chosen, { limit, newestFirst: newest }))
  const sign = newest ? -1 : 1
  const listed = found
    .toSorted((a, b) => sign * (a.parkedAt.getTime() - b.parkedAt.getTime() || a.events[0]!.id - b.events[0]!.id))
    .slice(0, limit)
  const records = listed.flatMap(({ record }) => record ?? [])
  if (records.length === 0) return listed
  // A group may have parked one of them for another reason, or long before or after
  const all = await entriesOf(
    chosen.map(({ group }) => ({ group, selection: { records } })),
    { limit: Number.MAX_SAFE_INTEGER },
  )
  const complete = new Map(byRecord(all).map((each) => [each.record, each]))
  return listed.map((each) => (each.record === null ? each : (complete.get(each.record) ?? each)))
}

async function entriesOf(
  chosen: readonly Chosen[],
  options: { limit: number; newestFirst?: boolean },
): Promise<GroupEntry[]> {
  const entries = await Promise.all(
    chosen.map(async ({ group: { name, pool }, selection }) =>
      (await listParked(pool, selection, options)).map((entry) => ({ group: name, ...entry })),
    ),
  )
  return entries.flat()
}

/** Groups events of several groups by the record they came from. */
export function byRecord(entries: readonly GroupEntry[]): ParkedRecord[] {
  const grouped = Map.groupBy(entries, ({ record, group, id }) => record ?? `${group}/${id}`)
  return [...grouped.values()].map((unsorted) => {
    const events = unsorted.toSorted((a, b) => a.parkedAt.getTime() - b.parkedAt.getTime())
    const { record, key, type, source, parkedAt } = events[0]!
    return { record, key, type: events.find((event) => event.type !== null)?.type ?? type, source, parkedAt, events }
  })
}

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
