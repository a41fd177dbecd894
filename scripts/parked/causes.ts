import { readCauses } from '../../consumers/operations/parked/parked-records.ts'
import type { GroupCause } from '../../consumers/operations/parked/parked-records.ts'
import type { OpenGroup } from '../../consumers/operations/parked/parked-groups.ts'
import { printJson } from '../cli/command.ts'
import { count } from '../cli/figures.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import { cut, printable, since } from './printable.ts'

export async function causes(groups: readonly OpenGroup[], { json }: { json?: boolean }): Promise<void> {
  const found = await readCauses(groups)
  if (json) printJson({ causes: found })
  else printReport(causesReport(found))
}

/** Parked events by cause, those that only wait behind others last. */
export function causesReport(found: readonly GroupCause[]): Report {
  const [first] = found
  if (!first) return { verdict: 'Nothing is parked.' }
  const events = found.reduce((sum, cause) => sum + cause.events, 0)
  return {
    verdict: `${count(events, 'event')} parked for ${count(found.length, 'cause')}.`,
    parts: [
      {
        head: ['cause', 'group', 'reason', 'type', 'events', 'keys', 'for operator', 'first', 'last', 'error'],
        rows: found.map(({ cause, group, reason, type, events: own, keys, stuck, firstAt, lastAt, signature }) => [
          ...[cause, group, reason, printable(type ?? 'unknown'), own, keys, stuck],
          ...[`${since(firstAt)} ago`, `${since(lastAt)} ago`, cut(printable(signature), 160)],
        ]),
      },
    ],
    next: [
      `npm run parked -- show ${first.group}/${first.oldestId}`,
      `npm run parked -- redrive --cause ${first.cause} --dry-run`,
    ],
  }
}
