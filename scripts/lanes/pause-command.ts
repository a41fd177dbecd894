import type { Config } from '../../infra/config.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { printJson, say } from '../cli/command.ts'
import { age } from '../../consumers/operations/age.ts'
import { laneRanges } from '../../consumers/operations/lanes/lane-ranges.ts'
import type { LaneRow } from '../../consumers/operations/lanes/lane-row.ts'
import { conditionOf } from '../../consumers/operations/lanes/lane-health.ts'
import { pauseChosen, pauseOutcome, resumeChosen, resumeOutcome } from '../../consumers/operations/lanes/pausing.ts'
import { chooseGroups } from '../../consumers/operations/groups.ts'

export interface PauseRequest {
  readonly group: string
  /** Empty: all. */
  readonly lanes: readonly number[]
  readonly json: boolean | undefined
  readonly signal: AbortSignal
}

/** Pauses lanes and says what came of it. */
export async function pauseCommand(
  config: Config,
  pool: Pool,
  { group: name, lanes: asked, json, signal, why, actor }: PauseRequest & { why: string; actor: string },
): Promise<void> {
  const [group] = await chooseGroups(config, [name])
  if (!group) return
  const { partitions } = config
  const { fresh, rows } = await pauseChosen(
    pool,
    { group, partitions, asked, signal },
    { why, actor },
    (before, others) => {
      sayEach(name, before, (row) => `remains paused by ${pausedBy(row)}`)
      if (others.length > 0) say(`${name} ${laneRanges(others)}: pausing, by ${actor}: ${why}`)
    },
  )
  if (json) printJson({ group: name, paused: fresh, lanes: rows.map(inShort) })
  else sayEach(name, rows, (row) => pauseOutcome(row) ?? fail('still processes a batch and pauses after it'))
}

/** Resumes paused lanes and says what came of it. */
export async function resumeCommand(
  config: Config,
  pool: Pool,
  { group: name, lanes: asked, json, signal }: PauseRequest,
): Promise<void> {
  const [group] = await chooseGroups(config, [name])
  if (!group) return
  const { partitions } = config
  const rows = await resumeChosen(pool, { group, partitions, asked, signal }, (paused, byOther) => {
    if (paused.length + byOther.length === 0) say(`${name}: none of these lanes is paused`)
    sayEach(name, byOther, () => 'was resumed by another operator meanwhile')
    sayEach(name, paused, (row) => `resuming, paused by ${pausedBy(row)}`)
  })
  if (json) printJson({ group: name, resumed: rows.map(({ lane }) => lane), lanes: rows.map(inShort) })
  else sayEach(name, rows, (row) => resumeOutcome(row) ?? fail('has not resumed yet: npm run lanes -- ls'))
}

function fail(sentence: string): string {
  process.exitCode = 1
  return sentence
}

const inShort = (row: LaneRow) => ({ lane: row.lane, condition: conditionOf(row), owner: row.owner })

/** Prints a line for all lanes that share a sentence. */
function sayEach(group: string, rows: readonly LaneRow[], sentence: (row: LaneRow) => string): void {
  for (const [text, found] of Map.groupBy(rows, sentence))
    say(`${group} ${laneRanges(found.map(({ lane }) => lane))}: ${text}`)
}

const pausedBy = ({ pause: set }: LaneRow) => `${set?.actor} ${age(set?.ms ?? 0)} ago: ${set?.reason}`
