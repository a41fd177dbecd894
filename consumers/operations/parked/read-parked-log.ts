import { readLog } from '../../runtime/tables/audit.ts'
import type { LogEntry, LogFilter } from '../../runtime/tables/audit.ts'
import type { OpenGroup } from './parked-groups.ts'

/** An act on a parked event of a group. */
export type GroupLogEntry = LogEntry & { readonly group: string }

/** What operators and lanes' owners did to parked events, the newest first. */
export async function readParkedLog(groups: readonly OpenGroup[], filter: LogFilter): Promise<GroupLogEntry[]> {
  const entries = await Promise.all(
    groups.map(async ({ name, pool }) => (await readLog(pool, filter)).map((entry) => ({ group: name, ...entry }))),
  )
  return entries
    .flat()
    .toSorted((a, b) => b.at.getTime() - a.at.getTime() || b.id - a.id)
    .slice(0, filter.limit)
}
