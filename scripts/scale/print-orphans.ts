import { count, firstOf } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'
import { lostWith } from '../../consumers/operations/replicas/orphans.ts'
import type { Orphans } from '../../consumers/operations/replicas/orphans.ts'

const tablesShown = 10

/** What a consumer has on the servers, and what of it exists nowhere else. */
export function orphansReport(consumer: string, { group, schema, aside, rows }: Orphans): Report {
  const { parked, unsent, unanswered } = lostWith(rows)
  const tables = Object.entries(rows).map(([table, number]) => `${count(number)} in ${table}`)
  const lost = parked + unsent + unanswered
  return {
    verdict:
      lost === 0
        ? `Removing ${consumer} loses nothing that is still in flight.`
        : `Removing ${consumer} loses ${count(parked, 'parked event')}, ${count(unsent, 'unpublished event')} and ${count(unanswered, 'unanswered call')}.`,
    parts: [
      {
        head: ['to be deleted', ''],
        rows: [
          ['Kafka group', group ? `${group.id}, ${count(group.members, 'member')}` : 'none'],
          ['database schema', schema ?? 'none'],
          ...aside.map((name) => ['tables of a rebuild', name]),
          ['rows', firstOf(tables, tablesShown).join(', ') || 'none'],
        ],
      },
    ],
  }
}
