import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { chooseGroups } from '../../consumers/operations/groups.ts'
import type { Group } from '../../consumers/operations/groups.ts'
import { acceptLoss, findLosses, readBrokerState } from '../../consumers/operations/lanes/accept-loss.ts'
import type { Loss } from '../../consumers/operations/lanes/accept-loss.ts'
import { readSkips } from '../../consumers/runtime/tables/skipped-table.ts'
import { writtenAt } from '../../consumers/operations/replicas/oldest-unread.ts'
import { printJson, say } from '../cli/command.ts'
import { confirmed } from '../cli/consent.ts'
import { count } from '../cli/figures.ts'
import { lanes as readLanes } from '../cli/arguments.ts'

export interface AcceptLossRequest {
  /** `payment/3`, `payment/0-3,7`, or `payment` for all its lanes. */
  readonly place: string
  readonly why: string
  readonly actor: string
  readonly yes: boolean | undefined
  readonly json: boolean | undefined
  readonly signal: AbortSignal
}

/** Shows what lanes have lost; after consent, resumes them without it. */
export async function acceptLossCommand(
  config: Config,
  pool: Pool,
  { place, why, actor, yes, json, signal }: AcceptLossRequest,
): Promise<void> {
  const { group, lanes } = await chosen(config, place)
  const broker = await readBrokerState(config, [...group.topics])
  const losses: Loss[] = []
  for (const lane of lanes) losses.push(...(await findLosses(pool, group, lane, broker)))
  if (losses.length === 0) {
    if (json) return printJson({ group: group.name, accepted: false, losses })
    return say(`${place} has lost nothing: the broker has the next record of each of its topics.`)
  }
  const first = await writtenAt(
    config,
    losses.map(({ topic, partition, resumeAt }) => ({ topic, partition, offset: resumeAt })),
    signal,
  ).catch(() => new Map<string, number>())
  if (!json)
    for (const loss of losses) say(lossSentence(group.name, loss, first.get(`${loss.topic}/${loss.partition}`)))
  if (!yes && !process.stdin.isTTY) {
    if (json) return printJson({ group: group.name, accepted: false, losses })
    return say('Nothing was changed. To accept the loss, add --yes.')
  }
  if (!yes && !(await confirmed('Resume without them?'))) return say('Nothing was changed.')
  const accepted: Loss[] = []
  for (const lane of new Set(losses.map(({ partition }) => partition))) {
    const ours = await acceptLoss(pool, group, lane, broker, { actor, why })
    accepted.push(...ours)
    for (const { topic, resumeAt } of ours)
      say(`${group.name}/${lane}: loss accepted; the lane resumes at offset ${resumeAt} of ${topic}`)
    if (ours.length === 0) say(`${group.name}/${lane}: ${await alreadyAccepted(pool, group, lane)}`)
  }
  if (json) printJson({ group: group.name, accepted: accepted.length > 0, losses: accepted, actor, why })
}

async function chosen(config: Config, place: string): Promise<{ group: Group; lanes: number[] }> {
  const [, name = '', text] = /^([\w-]+)(?:\/([\d,-]+))?$/.exec(place) ?? []
  if (name === '') throw new TallyError('USAGE', `"${place}" names no lanes, as in payment/3 or payment/0-3,7`)
  const [group] = await chooseGroups(config, [name])
  const lanes = text === undefined ? [...Array(config.partitions).keys()] : readLanes(text)
  const unknown = lanes.filter((lane) => lane >= config.partitions)
  if (unknown.length > 0)
    throw new TallyError('USAGE', `${name} has no lane ${unknown.join(', ')}: there are 0 to ${config.partitions - 1}`)
  return { group: group as Group, lanes }
}

/** Another operator was faster. */
async function alreadyAccepted(pool: Pool, { schema }: Group, lane: number): Promise<string> {
  const { skipped } = await readSkips(pool, schema)
  const last = skipped.findLast(({ partition, cause }) => partition === lane && cause !== undefined)
  const who = last === undefined ? '' : `: ${last.actor} accepted the loss at ${last.at.toISOString()} (${last.why})`
  return `nothing is lost any more${who}`
}

/** @param next when the record at which the lane would resume was written, UTC epoch ms */
export function lossSentence(
  group: string,
  { topic, partition, cause, position, unread, resumeAt }: Loss,
  next?: number,
): string {
  const lane = `${group}/${partition}`
  const since = next === undefined ? '' : `, whose record was written at ${new Date(next).toISOString()}`
  switch (cause) {
    case 'deleted':
      return `${lane}: ${topic} offsets ${position} to ${resumeAt - 1} were deleted unread, ${count(unread ?? 0, 'offset')}. It would resume at ${resumeAt}${since}.`
    case 'recreated':
      return `${lane}: ${topic} was deleted and created again. The lane had read up to offset ${position} of the former topic; how many followed is unknown. It would resume at the first offset of the new one, ${resumeAt}${since}.`
    case 'truncated':
      return `${lane}: ${topic}/${partition} ends at offset ${resumeAt}, but the lane has read up to ${position}: the broker has lost the last ${count(position - resumeAt, 'offset')}, which took effect, and an unknown number behind. It would resume at ${resumeAt}.`
  }
}
