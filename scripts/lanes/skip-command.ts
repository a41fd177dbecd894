import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { chooseGroups } from '../../consumers/operations/groups.ts'
import { parseOffsets, planSkip, skipOffsets } from '../../consumers/operations/lanes/skip-offsets.ts'
import { readTopicEnds } from '../../consumers/operations/lanes/topic-ends.ts'
import { printJson, say } from '../cli/command.ts'
import { confirmed } from '../cli/consent.ts'
import { count } from '../cli/figures.ts'

export interface SkipRequest {
  /** `payment/3`. */
  readonly place: string
  readonly offsets: string
  readonly why: string
  readonly actor: string
  readonly yes: boolean | undefined
  readonly json: boolean | undefined
}

/** Has a lane pass offsets it cannot or must not process, after a question. */
export async function skipCommand(
  config: Config,
  pool: Pool,
  { place, offsets: text, why, actor, yes, json }: SkipRequest,
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
  say(
    `${place} is at offset ${from}. Skipped events take no effect in ${name}: ${what}, ${count(to - from, 'offset')}.`,
  )
  if (!yes && !(await confirmed('Skip them?'))) return say('Nothing was skipped.')
  const skipped = await skipOffsets(pool, group, asked, end, { actor, why })
  if (json) return printJson({ group: name, lane: Number(lane), ...skipped, actor, why })
  say(`${place}: skipped ${count(skipped.to - skipped.from, 'offset')}; the lane resumes at ${skipped.to}`)
}
