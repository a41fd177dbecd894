import { readParkedLog } from '../../consumers/operations/parked/show-parked.ts'
import type { OpenGroup } from '../../consumers/operations/parked/parked-groups.ts'
import { printJson } from '../cli/command.ts'
import { count } from '../cli/figures.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import { namesOf } from './ls.ts'
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

/** One line for each act on a record, with all groups in which it was done. */
export function logReport(entries: readonly LogEntry[]): Report {
  const acts = byRecord(entries)
  return {
    verdict:
      acts.length === 0 ? 'Nothing was done to parked events.' : `${count(acts.length, 'act')}, the newest first.`,
    parts: [
      {
        head: ['time', 'parked as', 'action', 'by', 'key', 'why'],
        rows: acts.map((act) => {
          const { at, action, actor, key, why } = act[0]!
          return [
            at.toISOString().replace(/\.\d+Z$/, 'Z'),
            namesOf(act.map(({ group, parkedId }) => ({ group, id: parkedId }))).join(', '),
            ...[action, printable(actor), cut(printable(key), 40), printable(why ?? '')],
          ]
        }),
      },
    ],
  }
}

/** The same act on the same record in several groups; a second one in the same group is another act. */
function byRecord(entries: readonly LogEntry[]): LogEntry[][] {
  const acts: LogEntry[][] = []
  const last = new Map<string, LogEntry[]>()
  for (const entry of entries) {
    const { place, group, parkedId, action, actor, why } = entry
    const name = JSON.stringify([place ?? `${group}/${parkedId}`, action, actor, why])
    const act = last.get(name)
    if (act && act.every((each) => each.group !== group)) act.push(entry)
    else {
      acts.push([entry])
      last.set(name, acts.at(-1)!)
    }
  }
  return acts
}

type LogEntry = Awaited<ReturnType<typeof readParkedLog>>[number]
