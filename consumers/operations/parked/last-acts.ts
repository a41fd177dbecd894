import { readAudit, readLog } from '../../runtime/tables/audit.ts'
import type { LogEntry } from '../../runtime/tables/audit.ts'
import type { Selection } from '../../runtime/tables/parked-list.ts'
import { fateOf } from './choose-parked.ts'
import type { Chosen } from './choose-parked.ts'
import type { OpenGroup } from './parked-groups.ts'

const looked = 100

/**
 * What was done last to events chosen by id, key or record, in words and newest first, one per group: it says who was faster.
 * Empty if nothing was, or if they are chosen by what they no longer are.
 */
export async function lastActs(chosen: readonly Chosen[]): Promise<string[]> {
  const found = await Promise.all(
    chosen.map(async ({ group, selection }) => {
      const entry = (await actsOn(group, selection)).find(({ action }) => action !== 'REDRIVE_ASKED')
      return entry ? [{ at: entry.at, act: `${group.name}/${entry.parkedId} ${fateOf(entry)}` }] : []
    }),
  )
  return found
    .flat()
    .toSorted((a, b) => b.at.getTime() - a.at.getTime())
    .map(({ act }) => act)
}

/** Newest first. */
async function actsOn({ pool }: OpenGroup, { ids, keys, records }: Selection): Promise<LogEntry[]> {
  if (ids) return (await readAudit(pool, ids)).toReversed()
  if (!keys && !records) return []
  return readLog(pool, { keys, record: records?.[0], limit: looked })
}
