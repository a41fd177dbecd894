import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { RunOptions } from '../../consumers/operations/replay/mode.ts'
import { integer, positive } from '../cli/arguments.ts'

/** How a replay is run, as `run` and `resume` take it. */
export const running = (command: Command): Command =>
  command
    .option('--rate <events>', 'at most so many events a second', positive)
    .option('--max <events>', 'end after so many; the rest can be resumed', integer(1))
    .option('--until <time>', 'pause then: ISO 8601 with zone, epoch ms, or +30m', moment)
    .option('--max-lag <events>', 'stop when more new events than this wait for the group', integer(0))
    .option('--skip-failed', 'pass over events that fail, and what follows of their keys, and note them')
    .option('--accept-drift', 'go on although something has changed since the plan was made')
    .option('--accept-lost', 'go on without events that retention has deleted')
    .option('--accept-unreadable', 'go on although events are there that no schema can read')
    .option('--allow-external', 'reprocess: calls to the outside may be made again, with the keys they had')

/** Only what was given: the rest stays as it was. */
export function runOptionsOf(given: RunOptions): RunOptions {
  const { rate, max, until, maxLag, skipFailed, acceptDrift, acceptLost, acceptUnreadable, allowExternal, emit } = given
  const all = { rate, max, until, maxLag, skipFailed, acceptDrift, acceptLost, acceptUnreadable, allowExternal, emit }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** For commander: UTC epoch ms. */
export function moment(text: string, _before?: unknown, now: number = Date.now()): number {
  const [, n, unit] = /^\+(\d{1,6})([smh])$/.exec(text) ?? []
  if (n && unit) return now + Number(n) * units[unit]!
  if (/^\d{13}$/.test(text)) return Number(text)
  const zoned = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
  const time = zoned ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new InvalidArgumentError('a time is like 2026-03-01T18:00Z, 1772388000000 or +30m.')
  return time
}
