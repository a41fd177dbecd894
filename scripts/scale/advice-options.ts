import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { mostReplicas } from '../../infra/stack/supervisor/scaling.ts'
import { integer, positive } from '../cli/arguments.ts'

/** Options of `npm run scale -- --advise` and `--auto`. Times in seconds. */
export interface AdviceOptions {
  advise?: true
  auto?: true
  min: number
  max: number
  lag: number
  drain: number
  every: number
  calm: number
  coolDown: number
  for?: number
  /** A port; 0: any that is free; true: the one of the configuration. */
  serve?: number | true
  /** Orders per second at its peak. */
  demoLoad?: number
  seed?: number
  plot?: string
}

const defaultPeak = 300
export const demoLoadSeconds = 240

const portNumber = (text: string): number => {
  const port = integer(0)(text)
  if (port <= 65_535) return port
  throw new InvalidArgumentError('it is not a port: 0 to 65535.')
}
/** Timers cannot wait longer than 24 days, and a look every moment would be the load. */
const seconds = (text: string): number => {
  const value = positive(text)
  if (value >= 0.5 && value <= 86_400) return value
  throw new InvalidArgumentError('it is not a number of seconds from 0.5 to 86400.')
}
const replicas = (text: string): number => {
  const count = integer(1)(text)
  if (count <= mostReplicas) return count
  throw new InvalidArgumentError(`a consumer can have 1 to ${mostReplicas} replicas.`)
}

export const addAdviceOptions = (command: Command): Command =>
  command
    .option('--advise', 'how many replicas consumers need, and when more would not help; changes nothing')
    .option('--auto', 'look again and again, and have as many replicas as are needed, until Ctrl-C')
    .option('--min <replicas>', 'with --advise and --auto: never fewer', replicas, 1)
    .option('--max <replicas>', 'with --advise and --auto: never more', replicas, mostReplicas)
    .option('--lag <seconds>', 'with --advise and --auto: no event shall wait longer', seconds, 5)
    .option('--drain <seconds>', 'with --advise and --auto: what waits shall be gone in this time', seconds, 60)
    .option('--every <seconds>', 'with --auto and --serve: from look to look', seconds, 5)
    .option('--calm <seconds>', 'with --auto: fewer must have been enough for so long', seconds, 60)
    .option('--cool-down <seconds>', 'with --auto: nothing more is changed for so long after a change', seconds, 15)
    .option('--for <seconds>', 'with --auto: end after this time; the replicas stay', seconds)
    .option(
      '--serve [port]',
      'with --advise: as metrics for an external autoscaler on 127.0.0.1, until Ctrl-C (default port: port base + 94)',
      portNumber,
    )
    .addOption(
      new Option('--demo-load [peak]', 'with --auto: publish orders meanwhile, more and fewer per second')
        .argParser(positive)
        .preset(String(defaultPeak)),
    )
    .option('--seed <n>', 'with --demo-load: what its rise and fall derives from', integer(0))
    .option('--plot <file>', 'with --auto: draw rates, lag and replicas over time, as SVG')

const needs = {
  auto: ['calm', 'coolDown', 'for', 'demoLoad', 'plot'],
  advise: ['serve'],
  demoLoad: ['seed'],
  adviseOrAuto: ['min', 'max', 'lag', 'drain', 'every'],
} as const

/** Ends the command with a sentence where options do not go together. */
export function checkAdviceOptions(command: Command, options: AdviceOptions): void {
  const given = (name: string) => command.getOptionValueSource(name) === 'cli'
  const flag = (name: string) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  const refuse = (names: readonly string[], isThere: boolean, needed: string) => {
    const name = names.find(given)
    if (name !== undefined && !isThere) command.error(`error: ${flag(name)} goes with ${needed} only`)
  }
  if (options.advise && options.auto) command.error('error: --advise changes nothing and --auto does: give one of them')
  refuse(needs.auto, options.auto === true, '--auto')
  refuse(needs.advise, options.advise === true, '--advise')
  refuse(needs.demoLoad, options.demoLoad !== undefined, '--demo-load')
  refuse(needs.adviseOrAuto, options.advise === true || options.auto === true, '--advise or --auto')
  if (options.min > options.max) command.error(`error: --min ${options.min} is more than --max ${options.max}`)
}
