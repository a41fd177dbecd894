import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { optionName } from '../../infra/text/option-name.ts'
import type { Goals } from '../../consumers/operations/replicas/advice/measurement.ts'
import { mostReplicas } from '../../infra/stack/supervisor/scaling.ts'
import { integer, positive } from '../cli/arguments.ts'

/** The goals that hold unless options change them. */
export const goalsByDefault: Goals = { lagSeconds: 5, drainSeconds: 60, min: 1, max: mostReplicas }

/** Options of `npm run scale -- --advise`. Times in seconds. */
export interface AdviceOptions {
  advise?: true
  min: number
  max: number
  lag: number
  drain: number
  every: number
  otherMachines?: true
  /** A port; 0: any free one; true: the one of the configuration. */
  serve?: number | true
}

const portNumber = (text: string): number => {
  const port = integer(0)(text)
  if (port <= 65_535) return port
  throw new InvalidArgumentError('It is not a port: 0 to 65535.')
}
/** Timers cannot wait longer than 24 days, and measuring all the time would itself be the load. */
const seconds = (text: string): number => {
  const value = positive(text)
  if (value >= 0.5 && value <= 86_400) return value
  throw new InvalidArgumentError('It is not a number of seconds from 0.5 to 86400.')
}
const replicas = (text: string): number => {
  const count = integer(1)(text)
  if (count <= mostReplicas) return count
  throw new InvalidArgumentError(`A consumer can have 1 to ${mostReplicas} replicas.`)
}

export const addAdviceOptions = (command: Command): Command =>
  command
    .option('--advise', 'show how many replicas consumers need and when more would not help; changes nothing')
    .option('--min <replicas>', 'with --advise: least number of replicas', replicas, goalsByDefault.min)
    .option('--max <replicas>', 'with --advise: greatest number of replicas', replicas, goalsByDefault.max)
    .option('--lag <seconds>', 'with --advise: maximum lag', seconds, goalsByDefault.lagSeconds)
    .option(
      '--drain <seconds>',
      'with --advise: time in which a backlog must be processed',
      seconds,
      goalsByDefault.drainSeconds,
    )
    .option('--other-machines', 'with --advise: replicas can start on other machines, so processors are no limit')
    .option(
      '--serve [port]',
      'with --advise: serve metrics for an external autoscaler on 127.0.0.1 until Ctrl-C (default port: port base + 94)',
      portNumber,
    )
    .option('--every <seconds>', 'with --serve: time between two measurements', seconds, 5)

/** Ends the command with a sentence where options do not go together. */
export function checkAdviceOptions(command: Command, options: AdviceOptions): void {
  const refuse = (names: readonly (keyof AdviceOptions)[], needed: keyof AdviceOptions) => {
    const name = names.find((each) => command.getOptionValueSource(each) === 'cli')
    if (name !== undefined && options[needed] === undefined)
      command.error(`error: ${optionName(name)} requires --${needed}`)
  }
  refuse(['min', 'max', 'lag', 'drain', 'otherMachines', 'serve'], 'advise')
  refuse(['every'], 'serve')
  if (options.min > options.max) command.error(`error: --min ${options.min} is more than --max ${options.max}`)
}
