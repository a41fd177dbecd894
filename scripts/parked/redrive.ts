import type { RedriveOutcome } from '../../consumers/operations/parked/await-redrive.ts'
import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { askChosen, eventsOf, seeThrough } from '../../consumers/operations/parked/redrive-parked.ts'
import type { AskedOfGroup, GroupRedrive } from '../../consumers/operations/parked/redrive-parked.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import type { Config } from '../../infra/config.ts'
import { printJson, say } from '../cli/command.ts'
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
    onGroup: (result) => {
      progress.of(result.group).finish()
      if (!json) sayOutcome(result)
    },
  })
  if (groups.some(({ outcome: { failed, pending } }) => failed.length + pending.length > 0)) process.exitCode = 1
  if (json) printJson({ ...more, asked: events, groups: groups.map(jsonOf) })
}

const jsonOf = ({ group, obstacles, outcome: { pending, ...outcome } }: GroupRedrive): object => ({
  group,
  ...outcome,
  waiting: pending.map(({ lane, key, ids }) => ({ lane, key, ids })),
  obstacles,
})

const failuresShown = 10

function sayOutcome({ group, outcome, obstacles }: GroupRedrive): void {
  const { failed, pending } = outcome
  const settled = failed.length + pending.length === 0
  say(`${group}: ${partsOf(outcome).join(', ')}${settled ? '; nothing left behind' : ''}`)
  for (const { id, key, reason, error, behind, nextAttemptAt } of failed.slice(0, failuresShown)) {
    const others = behind > 0 ? `, ${behind} behind it` : ''
    say(
      `  ${group}/${id} of ${printable(key)}: ${reason}: ${cut(printable(error ?? ''), 120)} (${nextAttempt(nextAttemptAt)}${others})`,
    )
  }
  if (failed.length > failuresShown)
    say(`  … and ${failed.length - failuresShown} more: npm run parked -- ls --group ${group}`)
  for (const [why, lanes] of Map.groupBy(obstacles, (obstacle) => obstacle.why))
    say(`  lane ${laneRanges(lanes.map(({ lane }) => lane))}: ${why}; the events stay due`)
  if (pending.length > 0 && obstacles.length === 0) say('  their lanes are busy with other events; the events stay due')
}

const partsOf = ({ handled, duplicates, dropped, failed, pending }: RedriveOutcome): string[] => [
  `${count(handled, 'event')} handled`,
  ...(duplicates > 0 ? [`${duplicates} had nothing left to do`] : []),
  ...(dropped > 0 ? [`${dropped} dropped meanwhile`] : []),
  ...(failed.length > 0 ? [`${count(failed.length, 'key')} failed again`] : []),
  ...(pending.length > 0 ? [`${count(pending.length, 'key')} not tried yet`] : []),
]
