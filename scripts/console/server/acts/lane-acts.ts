import { z } from 'zod'
import { chooseGroups } from '../../../../consumers/operations/groups.ts'
import type { Group } from '../../../../consumers/operations/groups.ts'
import { acceptLoss, findLosses, readBrokerState } from '../../../../consumers/operations/lanes/accept-loss.ts'
import type { Loss } from '../../../../consumers/operations/lanes/accept-loss.ts'
import { laneRanges } from '../../../../consumers/operations/lanes/lane-ranges.ts'
import {
  pauseChosen,
  pauseOutcome,
  resumeChosen,
  resumeOutcome,
} from '../../../../consumers/operations/lanes/pausing.ts'
import type { LaneRow } from '../../../../consumers/operations/lanes/lane-row.ts'
import { parseOffsets, planSkip, skipOffsets } from '../../../../consumers/operations/lanes/skip-offsets.ts'
import { readTopicEnds } from '../../../../consumers/operations/lanes/topic-ends.ts'
import type { Config } from '../../../../infra/config.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { currentConfig } from '../../../../infra/topic-generations/current-config.ts'
import { count } from '../../../cli/figures.ts'
import { lossSentence } from '../../../lanes/accept-loss-command.ts'
import type { ConsoleContext } from '../context.ts'
import { act, why } from './act.ts'
import type { Act } from './act.ts'
import { npmRun } from './shell-words.ts'

const consumer = z.string()
const lane = z.number().int().min(0).max(9_999)
const lanes = z.array(lane).max(10_000)

/** What operators do to lanes. */
export function laneActs(context: ConsoleContext): Record<string, Act> {
  const { pool } = context
  const groupOf = async (name: string): Promise<{ config: Config; group: Group }> => {
    const config = await currentConfig(context.config, pool)
    const [group] = await chooseGroups(config, [name])
    return { config, group: group as Group }
  }
  const signal = () => AbortSignal.timeout(20_000)
  const laneWords = (chosen: readonly number[]) => (chosen.length > 0 ? ['--lane', laneRanges(chosen)] : [])

  return {
    'lanes-pause': act(
      z.object({ consumer, lanes, why }),
      async ({ consumer: name, lanes: asked, why: reason }, who) => {
        const { config, group } = await groupOf(name)
        const choice = { group, partitions: config.partitions, asked, signal: signal() }
        const { fresh, rows } = await pauseChosen(pool, choice, { why: reason, actor: who }, () => {})
        const said = sentences(name, rows, (row) =>
          fresh.includes(row.lane)
            ? (pauseOutcome(row) ?? 'still processes a batch and pauses after it')
            : `remains paused by ${row.pause?.actor}: ${row.pause?.reason}`,
        )
        return { said, command: npmRun('lanes', 'pause', name, ...laneWords(asked), '--why', reason) }
      },
    ),

    'lanes-resume': act(z.object({ consumer, lanes }), async ({ consumer: name, lanes: asked }) => {
      const { config, group } = await groupOf(name)
      const choice = { group, partitions: config.partitions, asked, signal: signal() }
      const rows = await resumeChosen(pool, choice, () => {})
      if (rows.length === 0)
        throw new TallyError('PRECONDITION_FAILED', `None of these lanes of ${name} is paused any more`)
      const said = sentences(name, rows, (row) => resumeOutcome(row) ?? 'has not resumed yet')
      return { said, command: npmRun('lanes', 'resume', name, ...laneWords(asked)) }
    }),

    'lanes-skip': act(
      z.object({ consumer, lane, offsets: z.string(), onlyTry: z.boolean(), why: z.string().trim().max(500) }),
      async ({ consumer: name, lane: number, offsets: text, onlyTry, why: reason }, who) => {
        const { config, group } = await groupOf(name)
        const asked = parseOffsets(text)
        if (asked.partition !== number)
          throw new TallyError(
            'USAGE',
            `Lane ${number} reads partition ${number} of each topic, not partition ${asked.partition}`,
          )
        if (!onlyTry && reason === '') throw new TallyError('USAGE', 'Say why: other operators will read it')
        const ends = await readTopicEnds(config, [asked.topic], () => false)
        const end = ends.get(asked.topic)?.get(number)?.end
        const command = npmRun('lanes', 'skip', `${name}/${number}`, '--offsets', text, '--why', reason || '…')
        const place = ({ from, to }: { from: number; to: number }) =>
          `${asked.topic}/${number} offsets ${from} to ${to - 1}`
        if (onlyTry) {
          const plan = await planSkip(pool, group, asked, end)
          const events = count(plan.to - plan.from, 'offset')
          return {
            said: [`${events} would be skipped: ${place(plan)}. Their events take no effect in ${name}.`],
            command,
          }
        }
        const skipped = await skipOffsets(pool, group, asked, end, { actor: who, why: reason })
        return { said: [`${place(skipped)} skipped; the lane resumes at ${skipped.to}.`], command }
      },
    ),

    'lanes-accept-loss': act(
      z.object({ consumer, lane, onlyTry: z.boolean(), why: z.string().trim().max(500) }),
      async ({ consumer: name, lane: number, onlyTry, why: reason }, who) => {
        const { config, group } = await groupOf(name)
        if (!onlyTry && reason === '') throw new TallyError('USAGE', 'Say why: other operators will read it')
        const broker = await readBrokerState(config, [...group.topics])
        const command = npmRun('lanes', 'accept-loss', `${name}/${number}`, '--why', reason || '…')
        const losses: Loss[] = onlyTry
          ? await findLosses(pool, group, number, broker)
          : await acceptLoss(pool, group, number, broker, { actor: who, why: reason })
        if (losses.length === 0)
          throw new TallyError('PRECONDITION_FAILED', `${name}/${number} has lost nothing (any more)`)
        const said = onlyTry
          ? losses.map((loss) => lossSentence(name, loss))
          : losses.map(({ topic, resumeAt }) => `Loss accepted; the lane resumes at offset ${resumeAt} of ${topic}.`)
        return { said, command }
      },
    ),
  }
}

/** A sentence for all lanes that share it. */
const sentences = (name: string, rows: readonly LaneRow[], sentence: (row: LaneRow) => string): string[] =>
  [...Map.groupBy(rows, sentence)].map(
    ([text, found]) => `${name} ${laneRanges(found.map(({ lane: number }) => number))}: ${text}`,
  )
