import type { Command } from 'commander'
import type { ShownReplay } from '../../consumers/operations/replay/run/control-replay.ts'
import { showReplay } from '../../consumers/operations/replay/run/control-replay.ts'
import { loadConfig } from '../../infra/config.ts'
import { addSubcommand, printJson } from '../cli/command.ts'
import { firstOf } from '../cli/figures.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import type { Table } from '../cli/table.ts'
import type { CommonOptions } from '../cli/command.ts'
import { integer } from '../cli/arguments.ts'
import { cut, printable } from '../parked/printable.ts'
import { figuresSentence } from './figures.ts'
import { withReplays } from '../../consumers/operations/replay/open-replay.ts'
import { inShort } from './list.ts'

export function addShowCommand(program: Command): void {
  addSubcommand(program, 'show', 'Show how a replay was run, how far it is and which events it skipped', [
    'npm run replay -- show 7',
    'npm run replay -- show 7 --partitions',
    'npm run replay -- show 7 --json',
  ])
    .argument('<id>', 'replay, as `list` shows it', integer(1))
    .option('--partitions', 'show every partition')
    .action((id: number, _options: unknown, command: Command) => {
      const { json, partitions } = command.optsWithGlobals<CommonOptions & { partitions?: boolean }>()
      return withReplays(loadConfig(), async (pool) => {
        const shown = await showReplay({ pool }, id)
        if (json) printJson(jsonOf(shown))
        else printReport(showReport(shown, partitions))
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

/** How a replay was run and how far it is; a row per topic, or per partition. */
export function showReport(shown: ShownReplay, partitions = false): Report {
  const { id, mode, target, state, actor, why, reason, runner, options, createdAt, endedAt } = inShort(shown)
  const given = Object.entries(options).map(([name, value]) => `${name} ${value}`)
  return {
    verdict: `Replay ${id}, ${mode} of ${target}, is ${state}${reason ? `: ${printable(reason)}` : ''}. ${figuresSentence(shown.plan, shown.figures)}.`,
    parts: [
      [
        `  by ${printable(actor)}${why ? `: ${printable(why)}` : ''}`,
        `  began ${createdAt.toISOString()}, run by ${runner}${endedAt ? `, ended ${endedAt.toISOString()}` : ''}`,
        ...(given.length > 0 ? [`  options: ${given.join(', ')}`] : []),
      ].join('\n'),
      partitions ? partitionsTable(shown) : topicsTable(shown),
      firstOf(
        shown.failures.map(
          ({ topic, partition, offset, type, key, reason: code, error }) =>
            `  skipped ${topic}/${partition} offset ${offset}, ${type ?? 'unknown'} of key ${printable(key ?? 'none')}: ${code}: ${cut(printable(error ?? ''), 120)}`,
        ),
        failuresShown,
      ).join('\n'),
    ],
    next: endedAt === null ? `npm run replay -- resume ${id}` : undefined,
  }
}

const failuresShown = 10

const partitionsTable = ({ partitions }: ShownReplay): Table => ({
  head: ['partition', 'from', 'to', 'next', 'read', 'chosen', 'before'],
  rows: partitions.map(({ topic, partition, from, to, next, scanned, selected, before }) => [
    ...[`${topic}/${partition}`, String(from), String(to), String(next), scanned, selected],
    before === null ? '' : String(before),
  ]),
})

const topicsTable = ({ partitions }: ShownReplay): Table => ({
  head: ['topic', 'partitions', 'done', 'read', 'chosen'],
  rows: [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, ranges]) => {
    const sum = (of: (range: (typeof ranges)[number]) => number) =>
      ranges.reduce((total, range) => total + of(range), 0)
    const all = sum(({ from, to }) => to - from)
    const done = sum(({ from, next }) => next - from)
    return [
      ...[topic, ranges.length, `${all === 0 ? 100 : Math.floor((100 * done) / all)} %`],
      ...[sum(({ scanned }) => scanned), sum(({ selected }) => selected)],
    ]
  }),
})
