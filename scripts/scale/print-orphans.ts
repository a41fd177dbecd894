import { createInterface } from 'node:readline/promises'
import { TallyError } from '../../infra/errors.ts'
import { printTable } from '../cli/command.ts'
import { lostWith } from '../../consumers/operations/replicas/orphans.ts'
import type { Orphans } from '../../consumers/operations/replicas/orphans.ts'

/** What a consumer has on the servers, and what of it nobody else knows. */
export function printOrphans(consumer: string, { group, schema, aside, rows }: Orphans): void {
  const { parked, unsent, unanswered } = lostWith(rows)
  const tables = Object.entries(rows).map(([table, count]) => `${count.toLocaleString('en')} in ${table}`)
  printTable(
    [`with ${consumer} goes`, ''],
    [
      ['Kafka group', group ? `${group.id}, ${group.members} members` : 'none'],
      ['database schema', schema ?? 'none'],
      ...aside.map((name) => ['tables of a rebuild', name]),
      ['rows', tables.join(', ') || 'none'],
      ['parked events', String(parked)],
      ['events to publish', String(unsent)],
      ['unanswered calls', String(unanswered)],
    ],
  )
}

/** Has the person type the name: what goes does not come back. @throws TallyError USAGE if there is nobody to ask */
export async function typedName(consumer: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new TallyError('USAGE', 'Nothing was done: there is no terminal to ask, add --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await terminal.question(`Type ${consumer} to remove all this: `)).trim() === consumer
  } finally {
    terminal.close()
  }
}
