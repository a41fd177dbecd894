import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { chooseGroups } from '../../consumers/operations/groups.ts'
import { parseOffsets, planSkip, skipOffsets } from '../../consumers/operations/lanes/skip-offsets.ts'
import { readTopicEnds } from '../../consumers/operations/lanes/topic-ends.ts'
import { printJson, say } from '../cli/command.ts'
import { actorOf, confirmed } from '../cli/consent.ts'

export interface SkipRequest {
  /** `payment/3`. */
  readonly place: string
  readonly offsets: string
  readonly why: string
  readonly by: string | undefined
  readonly yes: boolean | undefined
  readonly json: boolean | undefined
}

/** Has a lane pass offsets it cannot or must not process, after a question. */
export async function skipCommand(
  config: Config,
  pool: Pool,
  { place, offsets: text, why, by = actorOf({}), yes, json }: SkipRequest,
): Promise<void> {
  const [, name = '', lane] = /^([\w-]+)\/(\d{1,4})$/.exec(place) ?? []
  if (lane === undefined) throw new TallyError('USAGE', `"${place}" names no lane, as in payment/3`)
  const [group] = await chooseGroups(config, [name])
  if (!group) return
  const asked = parseOffsets(text)
  if (asked.partition !== Number(lane))
    throw new TallyError(
      'USAGE',
      `Lane ${lane} reads partition ${lane} of each topic, not partition ${asked.partition}`,
    )
  const ends = await readTopicEnds(config, [asked.topic], () => false)
  const end = ends.get(asked.topic)?.get(asked.partition)?.end
  const { from, to } = await planSkip(pool, group, asked, end)
  const what = `${asked.topic}/${lane} offsets ${from} to ${to - 1}`
  say(`${place} stands at offset ${from}. The events in ${what} will take no effect in ${name}: ${to - from} offsets`)
  if (!yes && !(await confirmed('Skip them?'))) return say('Nothing was skipped')
  const skipped = await skipOffsets(pool, group, asked, end, { actor: by, why })
  if (json) return printJson({ group: name, lane: Number(lane), ...skipped, actor: by, why })
  say(`${place}: skipped ${skipped.to - skipped.from} offsets; the lane resumes at ${skipped.to}`)
}
