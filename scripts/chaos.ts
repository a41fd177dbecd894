import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { runCommand, createCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { printReport } from './cli/report.ts'
import { integer, positive } from './cli/arguments.ts'
import { queueServers } from '../infra/queue-settings.ts'
import type { QueueServer } from '../infra/queue-settings.ts'
import type { MishapKind } from './chaos/fault-plan.ts'
import { chaosReport, printReportJson } from './chaos/report.ts'
import { runChaos } from './chaos/run-chaos.ts'

const kinds: readonly MishapKind[] = ['kill', 'freeze', 'network', 'terminate', 'steal', 'full-disk']

interface Options extends CommonOptions {
  seed: number
  minutes: number
  rate: number
  replicas: number
  door?: readonly QueueServer[]
  brokers: number
  only: readonly MishapKind[]
  portBase: number
}

export const chaosCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'chaos',
    'Inject faults while orders flow, then prove that nothing was lost or doubled',
    [
      'npm run chaos -- --seed 7 --minutes 2',
      'npm run chaos -- --seed 7 --minutes 10 --only kill,freeze',
      'npm run chaos -- --brokers 3 --json | jq .faults',
      'npm run chaos -- --door rabbitmq,sqs',
    ],
    'Starts its own stack, in which every connection runs through a proxy. Exit code 0: proved; 1: a proof or a recovery failed.',
  )
    .option('--seed <n>', 'number that decides which fault hits which process and when', integer(0), 1)
    .option('--minutes <n>', 'minutes during which faults are injected', positive, 2)
    .option('--rate <n>', 'orders per second', positive, 20)
    .option('--replicas <n>', 'replicas of each consumer', integer(1), 2)
    .addOption(
      new Option('--only <kinds>', `faults to inject: ${kinds.join(', ')}`).argParser(kindsOf).default(kinds, 'all'),
    )
    .addOption(
      new Option(
        '--door <servers>',
        'queues through which part of the orders comes in and to which events go out, with bridges: rabbitmq, sqs or both',
      ).argParser(doorsOf),
    )
    .option('--brokers <n>', 'Kafka brokers; with several, every other fault hits one of them', integer(1, 5), 1)
    .option('--port-base <n>', 'first port of the stack', integer(1, 65_000), 24_000)
    .action(async ({ minutes, only, door: doors = [], json, ...rest }: Options) => {
      const report = await runChaos({ ...rest, doors, forMs: minutes * 60_000, kinds: only, signal, say })
      if (json) printReportJson(report)
      else printReport(chaosReport(report))
      if (!report.ok) process.exitCode = 1
    })

if (import.meta.main) await runCommand(chaosCommand, { ofRunningStack: false })

function kindsOf(text: string): MishapKind[] {
  return text.split(',').map((name) => {
    const kind = kinds.find((each) => each === name.trim())
    if (!kind) throw new InvalidArgumentError(`Faults are ${kinds.join(', ')}, separated by commas.`)
    return kind
  })
}

function doorsOf(text: string): QueueServer[] {
  const chosen = text.split(',').map((name) => queueServers.find((server) => server === name.trim()))
  if (chosen.includes(undefined)) throw new InvalidArgumentError('Queues are rabbitmq and sqs, separated by a comma.')
  return [...new Set(chosen)].filter((server) => server !== undefined)
}
