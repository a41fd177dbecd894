import { InvalidArgumentError, Option } from 'commander'
import { integer } from './cli/arguments.ts'
import { runCommand, createCommand, say } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import type { MishapKind } from './chaos/fault-plan.ts'
import { printReport, printReportJson } from './chaos/report.ts'
import { runChaos } from './chaos/run-chaos.ts'

const kinds: readonly MishapKind[] = ['kill', 'freeze', 'network', 'terminate', 'steal', 'full-disk']

interface Options extends CommonOptions {
  seed: number
  minutes: number
  rate: number
  replicas: number
  brokers: number
  only: readonly MishapKind[]
  portBase: number
}

await runCommand(({ signal }) =>
  createCommand(
    'chaos',
    [
      'Break everything on purpose while orders flow, then prove that nothing was lost or doubled.',
      'Starts a whole stack of its own (ports from 24000) in which every connection leads through a proxy, kills, freezes,',
      'cuts off and fills up by the seed, lets it heal, and verifies. Exit code 0: proved; 1: something is wrong.',
    ].join('\n'),
    [
      'npm run chaos -- --seed 7 --minutes 2',
      'npm run chaos -- --seed 7 --minutes 10 --only kill,freeze',
      'npm run chaos -- --json | jq .faults',
    ],
  )
    .option('--seed <n>', 'decides what happens, to whom and in which order', wholeNumber, 1)
    .option('--minutes <n>', 'how long faults come', positive, 2)
    .option('--rate <n>', 'orders per second', positive, 20)
    .option('--replicas <n>', 'of each consumer', wholeNumber, 2)
    .option(
      '--brokers <n>',
      'Kafka brokers; of several one is hit after another, the coordinator first',
      integer(1, 5),
      1,
    )
    .addOption(new Option('--only <kinds>', `of ${kinds.join(',')}`).argParser(kindsOf).default(kinds, 'all'))
    .option('--port-base <n>', 'first port of the stack', wholeNumber, 24_000)
    .action(async ({ minutes, only, json, ...rest }: Options) => {
      const report = await runChaos({ ...rest, forMs: minutes * 60_000, kinds: only, signal, say })
      if (json) printReportJson(report)
      else printReport(report)
      if (!report.ok) process.exitCode = 1
    }),
)

function kindsOf(text: string): MishapKind[] {
  return text.split(',').map((name) => {
    const kind = kinds.find((each) => each === name.trim())
    if (!kind) throw new InvalidArgumentError(`must be of ${kinds.join(', ')}, with commas between`)
    return kind
  })
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number')
  return Number(text)
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 100_000)) throw new InvalidArgumentError('must be a number above 0')
  return value
}
