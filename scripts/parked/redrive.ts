import type { Kafka } from 'kafkajs'
import { askRedrive } from '../../consumers/operations/parked/ask-redrive.ts'
import type { AskedKey } from '../../consumers/operations/parked/ask-redrive.ts'
import { awaitRedrive } from '../../consumers/operations/parked/await-redrive.ts'
import type { RedriveOutcome } from '../../consumers/operations/parked/await-redrive.ts'
import { laneObstacles, ownedLanes } from '../../consumers/operations/parked/lane-obstacles.ts'
import type { LaneObstacle } from '../../consumers/operations/parked/lane-obstacles.ts'
import type { Config } from '../../infra/config.ts'
import { printJson, say } from '../cli/command.ts'
import { connectKafka } from '../../infra/kafka/command-client.ts'
import { actorOf } from '../cli/consent.ts'
import { createProgress } from '../cli/progress.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import { agreedTo } from './consent.ts'
import type { Chosen, Lot } from '../../consumers/operations/parked/choose-parked.ts'
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
  const by = { actor: actorOf(options), why: options.why }
  const asked: AskedOfLot[] = []
  for (const { lot, selection } of agreed) {
    const progress = createProgress(`${lot.group} due now`)
    const keys = await askRedrive(lot.pool, selection, by, { signal, onProgress: (done) => progress.update(done) })
    if (keys.length === 0) continue
    progress.finish(`${count(keys.length, 'key')}, each from its first event`)
    asked.push({ lot, keys })
  }
  await seeThrough(config, asked, options, signal)
}

export interface AskedOfLot {
  readonly lot: Lot
  readonly keys: readonly AskedKey[]
}

/** Waits for the owners, if wanted, and tells what became of what was asked. */
export async function seeThrough(
  config: Config,
  asked: readonly AskedOfLot[],
  { wait, json }: Pick<RedriveOptions, 'wait' | 'json'>,
  signal: AbortSignal,
): Promise<void> {
  const events = asked.reduce((sum, { keys }) => sum + keys.reduce((n, { ids }) => n + ids.length, 0), 0)
  if (!wait) {
    if (json) printJson({ asked: events })
    return
  }
  const kafka = connectKafka('parked', config)
  const groups = []
  for (const { lot, keys } of asked) {
    const progress = createProgress(`${lot.group} handled`, { total: keys.reduce((n, { ids }) => n + ids.length, 0) })
    const obstacles = async (lanes: readonly number[]) =>
      laneObstacles(lot.pool, lanes, await owned(kafka, `${config.namespace}${lot.group}`))
    const outcome = await awaitRedrive(lot.pool, keys, {
      obstacles,
      signal,
      onProgress: (now) =>
        progress.update(now.handled, now.failed.length > 0 ? `${now.failed.length} failed again` : ''),
    })
    progress.finish()
    const lanes = [...new Set(outcome.pending.map(({ lane }) => lane))]
    const stuck = lanes.length > 0 ? await obstacles(lanes) : []
    groups.push({ group: lot.group, outcome, stuck })
    if (!json) sayOutcome(lot.group, outcome, stuck)
    if (outcome.failed.length + outcome.pending.length > 0) process.exitCode = 1
  }
  if (json) {
    const results = groups.map(({ group, stuck, outcome: { pending, ...outcome } }) => {
      const waiting = pending.map(({ lane, key, ids }) => ({ lane, key, ids }))
      return { group, ...outcome, waiting, obstacles: stuck }
    })
    printJson({ asked: events, groups: results })
  }
}

/** A broker that does not answer only means that nobody knows. */
const owned = (kafka: Kafka, groupId: string): Promise<ReadonlySet<number> | undefined> =>
  ownedLanes(kafka, groupId).catch(() => undefined)

const failuresShown = 10

function sayOutcome(group: string, outcome: RedriveOutcome, stuck: readonly LaneObstacle[]): void {
  const { handled, duplicates, dropped, failed, pending } = outcome
  const parts = [
    `${count(handled, 'event')} handled`,
    ...(duplicates > 0 ? [`${duplicates} had nothing left to do`] : []),
    ...(dropped > 0 ? [`${dropped} dropped meanwhile`] : []),
    ...(failed.length > 0 ? [`${count(failed.length, 'key')} failed again`] : []),
    ...(pending.length > 0 ? [`${count(pending.length, 'key')} not tried yet`] : []),
  ]
  say(`${group}: ${parts.join(', ')}${failed.length + pending.length === 0 ? '; nothing left behind' : ''}`)
  for (const { id, key, reason, error, behind, nextAttemptAt } of failed.slice(0, failuresShown)) {
    const others = behind > 0 ? `, ${behind} behind it` : ''
    say(
      `  ${group}/${id} of ${printable(key)}: ${reason}: ${cut(printable(error ?? ''), 120)} (${nextAttempt(nextAttemptAt)}${others})`,
    )
  }
  if (failed.length > failuresShown)
    say(`  … and ${failed.length - failuresShown} more: npm run parked -- ls --group ${group}`)
  for (const [why, lanes] of Map.groupBy(stuck, (obstacle) => obstacle.why))
    say(`  lane ${laneRanges(lanes.map(({ lane }) => lane))}: ${why}; the events stay due`)
  if (pending.length > 0 && stuck.length === 0) say('  their lanes are busy with others; the events stay due')
}

const count = (n: number, what: string): string => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`
