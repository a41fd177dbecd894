import type { Command } from 'commander'
import type { ShownReplay } from '../../consumers/operations/replay/run/control-replay.ts'
import { showReplay } from '../../consumers/operations/replay/run/control-replay.ts'
import { loadConfig } from '../../infra/config.ts'
import { examplesText, printJson, printTable } from '../cli/command.ts'
import type { CommonOptions } from '../cli/command.ts'
import { integer } from '../cli/arguments.ts'
import { cut, printable } from '../parked/printable.ts'
import { figuresSentence } from './figures.ts'
import { withReplays } from './known-replays.ts'
import { inShort } from './list.ts'

export function addShowCommand(program: Command): void {
  program
    .command('show')
    .description('everything that is known of one: how it was run, how far each partition is, what it passed over')
    .argument('<id>', 'as `list` shows it', integer(1))
    .addHelpText('after', examplesText(['npm run replay -- show 7', 'npm run replay -- show 7 --json']))
    .action((id: number, _options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<CommonOptions>()
      return withReplays(loadConfig(), async (pool) => {
        const shown = await showReplay({ pool }, id)
        if (json) printJson(jsonOf(shown))
        else print(shown)
      })
    })
}

const jsonOf = (shown: ShownReplay): object => ({
  ...inShort(shown),
  partitions: shown.partitions.map(({ from, to, next, before, ...range }) => ({
    ...range,
    from: String(from),
    to: String(to),
    next: String(next),
    before: before === null ? null : String(before),
  })),
  failures: shown.failures.map((failure) => ({ ...failure, offset: String(failure.offset) })),
  plan: shown.plan,
})

function print(shown: ShownReplay): void {
  const { id, mode, target, state, actor, why, reason, runner, options, createdAt, endedAt } = inShort(shown)
  const given = Object.entries(options).map(([name, value]) => `${name} ${value}`)
  const lines = [
    `Replay ${id}: ${mode} of ${target}, ${state}${reason ? `: ${printable(reason)}` : ''}`,
    `  by ${printable(actor)}${why ? `: ${printable(why)}` : ''}`,
    `  began ${createdAt.toISOString()}${endedAt ? `, ended ${endedAt.toISOString()}` : ''}, run by ${runner}`,
    ...(given.length > 0 ? [`  ${given.join(', ')}`] : []),
    `  ${figuresSentence(shown.plan, shown.figures)}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n\n`)
  printTable(
    ['partition', 'from', 'to', 'next', 'read', 'chosen', 'before'],
    shown.partitions.map(({ topic, partition, from, to, next, scanned, selected, before }) => [
      `${topic}/${partition}`,
      String(from),
      String(to),
      String(next),
      scanned,
      selected,
      before === null ? '' : String(before),
    ]),
  )
  for (const { topic, partition, offset, type, key, reason: code, error } of shown.failures)
    process.stdout.write(
      `passed over ${topic}/${partition} offset ${offset}, ${type ?? 'unknown'} of key ${printable(key ?? 'none')}: ${code}: ${cut(printable(error ?? ''), 120)}\n`,
    )
}
