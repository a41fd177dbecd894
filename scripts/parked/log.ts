import { readParkedLog } from '../../consumers/operations/parked/show-parked.ts'
import type { OpenGroup } from '../../consumers/operations/parked/parked-groups.ts'
import { printJson, printTable } from '../cli/command.ts'
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
  if (entries.length === 0) return void process.stdout.write('Nothing was done to parked events\n')
  printTable(
    ['Time', 'Event', 'Action', 'By', 'Key', 'Why'],
    entries.map(({ at, group, parkedId, action, actor, key, why }) => [
      at.toISOString().replace(/\.\d+Z$/, 'Z'),
      `${group}/${parkedId}`,
      action,
      printable(actor),
      cut(printable(key), 40),
      printable(why ?? ''),
    ]),
  )
}
