import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { RunOptions } from '../../consumers/operations/replay/mode.ts'
import { readTime } from '../../schemas/time.ts'
import { integer, positive } from '../cli/arguments.ts'

/** The options of `run` and `resume`. */
export const running = (command: Command): Command =>
  command
    .option('--rate <events>', 'maximum rate, events per second', positive)
    .option('--max <events>', 'pause after this number of events; `resume` takes the rest', integer(1))
    .option('--until <time>', 'pause at this time: ISO 8601 with zone, epoch ms, or +30m', moment)
    .option('--max-lag <events>', 'stop when the group lags by more events than this', integer(0))
    .option('--skip-failed', 'skip and record events that fail, and later events of their keys')
    .option('--accept-drift', 'run although something has changed since the plan was made')
    .option('--accept-lost', 'run without the events that retention has deleted')
    .option('--accept-unreadable', 'run although no schema can read some of the events')
    .option('--create-topic', 'copy: create the topic to write to if there is none')
    .option('--allow-external', 'reprocess: allow calls to external services to be repeated, with their original keys')

const names = [
  ...(['rate', 'max', 'until', 'maxLag', 'skipFailed', 'acceptDrift', 'acceptLost'] as const),
  ...(['acceptUnreadable', 'createTopic', 'allowExternal', 'emit'] as const),
]

/** The options that were given; the others stay as they were. */
export const runOptionsOf = (given: RunOptions): RunOptions =>
  Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])))

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** For commander: UTC epoch ms. */
export function moment(text: string, _before?: unknown, now: number = Date.now()): number {
  const [, n, unit] = /^\+(\d{1,6})([smh])$/.exec(text) ?? []
  if (n && unit) return now + Number(n) * units[unit]!
  const { time, fault } = readTime(text)
  if (time === undefined)
    throw new InvalidArgumentError(`It ${fault}. A time is like 2026-03-01T18:00Z, 1772388000000 or +30m.`)
  return time
}
