import type { Command } from 'commander'
import type { ReplayRow } from '../../consumers/operations/replay/run/replay-table.ts'
import { listReplays } from '../../consumers/operations/replay/run/control-replay.ts'
import { conditionOf } from '../../consumers/operations/replay/run/target-lock.ts'
import { loadConfig } from '../../infra/config.ts'
import { addSubcommand, printJson } from '../cli/command.ts'
import { count } from '../cli/figures.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import type { CommonOptions } from '../cli/command.ts'
import { age } from '../../consumers/operations/age.ts'
import { integer } from '../cli/arguments.ts'
import { printable } from '../parked/printable.ts'
import { withReplays } from '../../consumers/operations/replay/open-replay.ts'

export function addListCommand(program: Command): void {
  addSubcommand(
    program,
    'list',
    'Show replays, the newest first',
    ['npm run replay -- list --limit 5', 'npm run replay -- list --json'],
    '',
    { isDefault: true },
  )
    .option('-n, --limit <count>', 'number of replays to show', integer(1), 20)
    .action((_options: unknown, command: Command) => {
      const { limit, json } = command.optsWithGlobals<CommonOptions & { limit: number }>()
      return withReplays(loadConfig(), async (pool) => {
        const rows = await listReplays(pool, limit)
        const listed = rows.map(({ share, ...row }) => ({ ...inShort(row), share }))
        if (json) printJson({ replays: listed })
        else printReport(listReport(listed))
      })
    })
}

/** Without the plan. */
export const inShort = (row: ReplayRow) => {
  const { id, mode, target, actor, why, reason, runner, options, figures, createdAt, endedAt, planId } = row
  const state = conditionOf(row)
  return { id, mode, target, state, actor, why, reason, runner, options, figures, createdAt, endedAt, planId }
}

/** @param now UTC epoch ms */
export function listReport(
  rows: readonly (ReturnType<typeof inShort> & { share: number })[],
  now: number = Date.now(),
): Report {
  const [open] = rows.filter(({ endedAt }) => endedAt === null)
  return {
    verdict: rows.length === 0 ? 'No replay has been run yet.' : `${count(rows.length, 'replay')}, the newest first.`,
    parts: [
      {
        head: ['id', 'mode', 'of', 'state', 'done', 'by', 'began', 'why'],
        rows: rows.map(({ id, mode, target, state, share, actor, createdAt, why }) => [
          ...[String(id), mode, target, state, `${Math.floor(share * 100)} %`, printable(actor)],
          ...[`${age(now - createdAt.getTime())} ago`, printable(why ?? '')],
        ]),
      },
    ],
    next: open && `npm run replay -- show ${open.id}`,
  }
}
