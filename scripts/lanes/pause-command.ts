import type { Config } from '../../infra/config.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { printJson, say } from '../cli/command.ts'
import { age } from '../../consumers/operations/age.ts'
import { actorOf } from '../cli/consent.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import type { LaneRow } from '../../consumers/operations/lanes/lane-row.ts'
import { conditionOf } from '../../consumers/operations/lanes/lane-health.ts'
import {
  chooseLanes,
  pause,
  pausedRows,
  pauseOutcome,
  resume,
  resumeOutcome,
  whenObeyed,
} from '../../consumers/operations/lanes/pausing.ts'
import { chooseGroups } from '../../consumers/operations/groups.ts'

export interface PauseRequest {
  readonly group: string
  /** Empty: all. */
  readonly lanes: readonly number[]
  readonly json: boolean | undefined
  readonly signal: AbortSignal
}

/** Pauses lanes and waits until their owners have obeyed. Lanes that are paused already keep their reason. */
export async function pauseCommand(
  config: Config,
  pool: Pool,
  { group: name, lanes: asked, json, signal, why, by = actorOf({}) }: PauseRequest & { why: string; by?: string },
): Promise<void> {
  const [group] = await chooseGroups(config, [name])
  if (!group) return
  const lanes = chooseLanes(name, config.partitions, asked)
  const before = await pausedRows(pool, group, lanes)
  sayEach(name, before, (row) => `remains paused by ${pausedBy(row)}`)
  const fresh = lanes.filter((lane) => !before.some((row) => row.lane === lane))
  if (fresh.length > 0) {
    say(`${name} ${laneRanges(fresh)}: pausing, by ${by}: ${why}`)
    await pause(pool, group, fresh, why, by)
  }
  const rows = await whenObeyed(pool, group, lanes, (row) => pauseOutcome(row) !== undefined, signal)
  if (json) return printJson({ group: name, paused: fresh, lanes: rows.map(inShort) })
  sayEach(name, rows, (row) => pauseOutcome(row) ?? fail('still processes a batch and pauses after it'))
}

/** Resumes paused lanes from their current positions. */
export async function resumeCommand(
  config: Config,
  pool: Pool,
  { group: name, lanes: asked, json, signal }: PauseRequest,
): Promise<void> {
  const [group] = await chooseGroups(config, [name])
  if (!group) return
  const rows = await pausedRows(pool, group, chooseLanes(name, config.partitions, asked))
  const lanes = rows.map(({ lane }) => lane)
  if (lanes.length === 0) say(`${name}: none of these lanes is paused`)
  else {
    sayEach(name, rows, (row) => `resuming, paused by ${pausedBy(row)}`)
    await resume(pool, group, lanes)
  }
  const after = await whenObeyed(pool, group, lanes, (row) => resumeOutcome(row) !== undefined, signal)
  if (json) return printJson({ group: name, resumed: lanes, lanes: after.map(inShort) })
  sayEach(name, after, (row) => resumeOutcome(row) ?? fail('has not resumed yet: npm run lanes -- ls'))
}

function fail(sentence: string): string {
  process.exitCode = 1
  return sentence
}

const inShort = (row: LaneRow) => ({ lane: row.lane, condition: conditionOf(row), owner: row.owner })

/** Lanes of which the same is to be said, together. */
function sayEach(group: string, rows: readonly LaneRow[], sentence: (row: LaneRow) => string): void {
  for (const [text, found] of Map.groupBy(rows, sentence))
    say(`${group} ${laneRanges(found.map(({ lane }) => lane))}: ${text}`)
}

const pausedBy = ({ pause: set }: LaneRow) => `${set?.actor} ${age(set?.ms ?? 0)} ago: ${set?.reason}`
