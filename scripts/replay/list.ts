import type { Command } from 'commander'
import type { ReplayRow } from '../../consumers/operations/replay/run/replay-table.ts'
import { readProgress } from '../../consumers/operations/replay/run/replay-table.ts'
import { listReplays } from '../../consumers/operations/replay/run/control-replay.ts'
import { conditionOf } from '../../consumers/operations/replay/run/target-lock.ts'
import { loadConfig } from '../../infra/config.ts'
import { examplesText, printJson, printTable } from '../cli/command.ts'
import type { CommonOptions } from '../cli/command.ts'
import { age } from '../../consumers/operations/age.ts'
import { integer } from '../cli/arguments.ts'
import { cut, printable } from '../parked/printable.ts'
import { withReplays } from './known-replays.ts'

export function addListCommand(program: Command): void {
  program
    .command('list', { isDefault: true })
    .description('replays: who, when, why and how far; the newest first')
    .option('-n, --limit <count>', 'how many to list', integer(1), 20)
    .addHelpText('after', examplesText(['npm run replay -- list --limit 5', 'npm run replay -- list --json']))
    .action((_options: unknown, command: Command) => {
      const { limit, json } = command.optsWithGlobals<CommonOptions & { limit: number }>()
      return withReplays(loadConfig(), async (pool) => {
        const rows = await listReplays(pool, limit)
        const listed = await Promise.all(
          rows.map(async (row) => {
            const { offsets, allOffsets } = await readProgress(pool, row.id)
            return { ...inShort(row), share: allOffsets === 0 ? 1 : offsets / allOffsets }
          }),
        )
        if (json) printJson({ replays: listed })
        else print(listed)
      })
    })
}

/** Without the plan. */
export const inShort = (row: ReplayRow) => {
  const { id, mode, target, actor, why, reason, runner, options, figures, createdAt, endedAt, planId } = row
  const state = conditionOf(row)
  return { id, mode, target, state, actor, why, reason, runner, options, figures, createdAt, endedAt, planId }
}

function print(rows: readonly (ReturnType<typeof inShort> & { share: number })[]): void {
  if (rows.length === 0) return void process.stdout.write('Nothing was ever replayed\n')
  printTable(
    ['id', 'mode', 'of', 'state', 'done', 'by', 'began', 'why'],
    rows.map(({ id, mode, target, state, share, actor, createdAt, why }) => [
      String(id),
      mode,
      target,
      state,
      `${Math.floor(share * 100)} %`,
      printable(actor),
      `${age(Date.now() - createdAt.getTime())} ago`,
      cut(printable(why ?? ''), 60),
    ]),
  )
}
