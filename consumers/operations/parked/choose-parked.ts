import { TallyError } from '../../../infra/errors.ts'
import { readAudit, readLog } from '../../runtime/tables/audit.ts'
import type { LogEntry } from '../../runtime/tables/audit.ts'
import { listParked, readParked } from '../../runtime/tables/parked-list.ts'
import type { OpenGroup } from './parked-groups.ts'
import type { Selection } from '../../runtime/tables/parked-list.ts'

/**
 * A parked event of one group (`payment/17`, or `17` if unambiguous), or a record in all groups that have parked it.
 */
export type EventName = { readonly group?: string; readonly id: number } | { readonly record: string }

/** Filters of different kinds must all hold. */
export interface Choice {
  readonly key?: string[]
  readonly reason?: Selection['reasons']
  readonly id?: readonly EventName[]
  /** As `readCauses` names them. */
  readonly cause?: readonly string[]
}

/** Parked events of one group. */
export interface Chosen {
  readonly group: OpenGroup
  readonly selection: Selection
}

/** One parked event. */
export interface ChosenEvent {
  readonly group: OpenGroup
  readonly id: number
}

/**
 * Reads `17`, `payment/17`, or the name of a record: `orders/3:1200`, topic without namespace.
 * @returns undefined if the text is none of them
 */
export function parseEventName(text: string): EventName | undefined {
  if (/^[\w.-]+\/\d{1,6}:\d{1,15}$/.test(text)) return { record: text }
  const [, group, id] = /^(?:([a-z][a-z-]*)\/)?(\d{1,15})$/.exec(text) ?? []
  return id === undefined ? undefined : { group, id: Number(id) }
}

/**
 * The chosen events, group by group.
 * @throws TallyError USAGE for an event that is not parked; the message states its outcome
 */
export async function choose(
  groups: readonly OpenGroup[],
  { id: names, key: keys, reason: reasons, cause: causes }: Choice,
): Promise<Chosen[]> {
  if (names === undefined) return groups.map((group) => ({ group, selection: { keys, reasons, causes } }))
  const events = await Promise.all(names.map((name) => findEvents(groups, name)))
  const byGroup = Map.groupBy(events.flat(), ({ group }) => group)
  return [...byGroup].map(([group, ofGroup]) => ({
    group,
    selection: { ids: [...new Set(ofGroup.map(({ id }) => id))], keys, reasons, causes },
  }))
}

/**
 * The parked events that a name means: one, or one for each group that has parked the record.
 * @throws TallyError USAGE if there is none, or the group is not clear
 */
export async function findEvents(groups: readonly OpenGroup[], name: EventName): Promise<ChosenEvent[]> {
  if ('record' in name) return findRecord(groups, name.record)
  const { group: wanted, id } = name
  const named = groups.filter((group) => wanted === undefined || group.name === wanted)
  if (named.length === 0)
    throw new TallyError(
      'USAGE',
      `${wanted} is not among the consumers ${groups.map((group) => group.name).join(', ')}`,
    )
  const rows = await Promise.all(named.map(({ pool }) => readParked(pool, id)))
  const holding = named.filter((_, index) => rows[index])
  if (holding.length === 1) return holding.map((group) => ({ group, id }))
  if (holding.length > 1)
    throw new TallyError(
      'USAGE',
      `${id} is parked in more than one group: say ${holding.map((group) => `${group.name}/${id}`).join(' or ')}`,
    )
  const traces = await Promise.all(
    named.map(async ({ name: group, pool }) =>
      (await readAudit(pool, [id])).slice(-1).map((entry) => `${group}/${id} ${fateOf(entry)}`),
    ),
  )
  throw notParked(`${wanted ? `${wanted}/` : ''}${id}`, traces.flat())
}

async function findRecord(groups: readonly OpenGroup[], record: string): Promise<ChosenEvent[]> {
  const found = await Promise.all(
    groups.map(async (group) =>
      (await listParked(group.pool, { records: [record] }, { limit: 100 })).map(({ id }) => ({ group, id })),
    ),
  )
  if (found.flat().length > 0) return found.flat()
  const traces = await Promise.all(
    groups.map(async ({ name, pool }) =>
      (await readLog(pool, { record, limit: 1 })).map((entry) => `${name}/${entry.parkedId} ${fateOf(entry)}`),
    ),
  )
  throw notParked(record, traces.flat())
}

const notParked = (name: string, traces: readonly string[]): TallyError =>
  new TallyError('USAGE', traces.length > 0 ? traces.join('; ') : `${name} was never parked`)

/** What was done last to an event: `(key o-1) was dropped at … by ann: a test order`. */
export function fateOf({ action, actor, why, at, key }: LogEntry): string {
  const fates: Partial<Record<LogEntry['action'], string>> = {
    HANDLED: 'was handled',
    DUPLICATE: 'had nothing left to do',
    DROPPED: 'was dropped',
    EDITED: 'was edited',
  }
  const reason = why ? `: ${why}` : ''
  return `(key ${key}) ${fates[action] ?? 'has left'} at ${at.toISOString()} by ${actor}${reason}`
}
