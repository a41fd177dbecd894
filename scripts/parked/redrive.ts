import type { RedriveOutcome } from '../../consumers/operations/parked/await-redrive.ts'
import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { askChosen, eventsOf, seeThrough } from '../../consumers/operations/parked/redrive-parked.ts'
import type { AskedOfGroup, GroupRedrive } from '../../consumers/operations/parked/redrive-parked.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import type { Config } from '../../infra/config.ts'
import { printJson } from '../cli/command.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import { actorOf } from '../cli/consent.ts'
import { count } from '../cli/figures.ts'
import { agreedTo } from './consent.ts'
import { progressByGroup } from './group-progress.ts'
import { cut, nextAttempt, printable } from './printable.ts'

export interface RedriveOptions {
  yes?: boolean
  actor?: string
  why?: string
  /** False: do not wait. */
  wait: boolean
  /** Keys a second. */
  rate?: number
  json?: boolean
}

export async function redrive(
  config: Config,
  chosen: readonly Chosen[],
  options: RedriveOptions,
  signal: AbortSignal,
): Promise<void> {
  const agreed = await agreedTo('Redrive', chosen, options)
  if (!agreed) {
    if (options.json) printJson({ asked: 0 })
    return
  }
  const progress = progressByGroup((group) => `${group} due now`)
  const asked = await askChosen(
    agreed,
    { actor: actorOf(options), why: options.why },
    {
      signal,
      ratePerSecond: options.rate,
      onProgress: (group, events) => progress.of(group).update(events),
      onAsked: (group, keys) => progress.of(group).finish(`${count(keys, 'key')}, each from its first event`),
    },
  )
  await followRedrive(config, asked, options, signal)
}

/** Waits for the owners, if wanted, and reports what became of the events, besides what `more` reports. */
export async function followRedrive(
  config: Config,
  asked: readonly AskedOfGroup[],
  { wait, json }: Pick<RedriveOptions, 'wait' | 'json'>,
  signal: AbortSignal,
  more: object = {},
): Promise<void> {
  const totals = new Map(asked.map(({ group, keys }) => [group.name, eventsOf(keys)]))
  const events = [...totals.values()].reduce((sum, n) => sum + n, 0)
  if (!wait) {
    if (json) printJson({ ...more, asked: events })
    return
  }
  const progress = progressByGroup((group) => `${group} handled`, totals)
  const groups = await seeThrough(config, asked, {
    signal,
    onProgress: (group, { handled, failed }) =>
      progress.of(group).update(handled, failed.length > 0 ? `${failed.length} failed again` : ''),
    onGroup: (result) => progress.of(result.group).finish(),
  })
  if (groups.some(({ outcome: { failed, pending } }) => failed.length + pending.length > 0)) process.exitCode = 1
  if (json) printJson({ ...more, asked: events, groups: groups.map(jsonOf) })
  else printReport(redriveReport(groups))
}

const jsonOf = ({ group, obstacles, outcome: { pending, ...outcome } }: GroupRedrive): object => ({
  group,
  ...outcome,
  waiting: pending.map(({ lane, key, ids }) => ({ lane, key, ids })),
  obstacles,
})

const failuresShown = 10

/** What became of the events, group by group. */
export function redriveReport(groups: readonly GroupRedrive[]): Report {
  const failed = groups.flatMap(({ group, outcome }) => outcome.failed.map((each) => ({ group, ...each })))
  const pending = groups.reduce((sum, { outcome }) => sum + outcome.pending.length, 0)
  const handled = groups.reduce((sum, { outcome }) => sum + outcome.handled, 0)
  return {
    verdict: `${count(handled, 'event')} handled${failed.length > 0 ? `, ${count(failed.length, 'key')} failed again` : ''}${
      pending > 0 ? `, ${count(pending, 'key')} not tried yet` : ''
    }.`,
    parts: [
      groups.map(({ group, outcome }) => `${group}: ${partsOf(outcome).join(', ')}`).join('\n'),
      {
        head: ['failed again', 'reason', 'next attempt', 'behind it', 'key', 'error'],
        limit: failuresShown,
        rows: failed.map(({ group, id, key, reason, error, behind, nextAttemptAt }) => [
          ...[`${group}/${id}`, reason, nextAttempt(nextAttemptAt), behind],
          ...[printable(key), cut(printable(error ?? ''), 200)],
        ]),
      },
      groups.flatMap(obstaclesOf).join('\n'),
    ],
    next:
      failed.length > 0
        ? `npm run parked -- show ${failed[0]!.group}/${failed[0]!.id}`
        : pending > 0
          ? 'npm run lanes -- ls'
          : undefined,
  }
}

const obstaclesOf = ({ group, outcome: { pending }, obstacles }: GroupRedrive): string[] => [
  ...[...Map.groupBy(obstacles, ({ why }) => why)].map(
    ([why, lanes]) => `${group} ${laneRanges(lanes.map(({ lane }) => lane))}: ${why}; the events stay due`,
  ),
  ...(pending.length > 0 && obstacles.length === 0
    ? [`${group}: the lanes are busy with other events; these stay due`]
    : []),
]

const partsOf = ({ handled, duplicates, dropped, failed, pending }: RedriveOutcome): string[] => [
  `${count(handled, 'event')} handled`,
  ...(duplicates > 0 ? [`${duplicates} had nothing left to do`] : []),
  ...(dropped > 0 ? [`${dropped} dropped meanwhile`] : []),
  ...(failed.length > 0 ? [`${count(failed.length, 'key')} failed again`] : []),
  ...(pending.length > 0 ? [`${count(pending.length, 'key')} not tried yet`] : []),
]
