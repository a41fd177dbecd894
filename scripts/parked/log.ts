import { readParkedLog } from '../../consumers/operations/parked/show-parked.ts'
import type { OpenGroup } from '../../consumers/operations/parked/parked-groups.ts'
import { printJson } from '../cli/command.ts'
import { count } from '../cli/figures.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import { cut, printable } from './printable.ts'

export interface LogOptions {
  key?: string[]
  since?: Date
  limit: number
  json?: boolean
}

/** Shows what was done to parked events, the newest first. */
export async function log(groups: readonly OpenGroup[], { key: keys, since, limit, json }: LogOptions): Promise<void> {
  const entries = await readParkedLog(groups, { keys, since, limit })
  if (json) return printJson({ entries })
  printReport(logReport(entries))
}

/** One line for each act. */
export const logReport = (entries: readonly LogEntry[]): Report => ({
  verdict:
    entries.length === 0 ? 'Nothing was done to parked events.' : `${count(entries.length, 'act')}, the newest first.`,
  parts: [
    {
      head: ['time', 'event', 'action', 'by', 'key', 'why'],
      rows: entries.map(({ at, group, parkedId, action, actor, key, why }) => [
        at.toISOString().replace(/\.\d+Z$/, 'Z'),
        `${group}/${parkedId}`,
        action,
        printable(actor),
        cut(printable(key), 40),
        printable(why ?? ''),
      ]),
    },
  ],
})

type LogEntry = Awaited<ReturnType<typeof readParkedLog>>[number]
