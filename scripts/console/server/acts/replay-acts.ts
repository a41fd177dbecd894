import { z } from 'zod'
import type { ReplayContext } from '../../../../consumers/operations/replay/mode.ts'
import { withReplay, withReplayContext, withReplays } from '../../../../consumers/operations/replay/open-replay.ts'
import { modeNames } from '../../../../consumers/operations/replay/plan.ts'
import type { Mode, Plan } from '../../../../consumers/operations/replay/plan.ts'
import { makePlan } from '../../../../consumers/operations/replay/plan/make-plan.ts'
import { parseRangeBound } from '../../../../consumers/operations/replay/plan/range-bound.ts'
import { cancelReplay, pauseReplay, undoReplay } from '../../../../consumers/operations/replay/run/control-replay.ts'
import type { ReplayEnd } from '../../../../consumers/operations/replay/run/execute-run.ts'
import type { ReplayProgress } from '../../../../consumers/operations/replay/run/replay-table.ts'
import {
  reasonsAgainst,
  refuse,
  resumeReplay,
  startReplay,
} from '../../../../consumers/operations/replay/run/run-replay.ts'
import { TallyError } from '../../../../infra/errors.ts'
import type { EventType } from '../../../../schemas/generated/events.ts'
import { eventTypes } from '../../../../schemas/topics.ts'
import { count } from '../../../cli/figures.ts'
import { figuresSentence } from '../../../replay/figures.ts'
import type { ConsoleContext } from '../context.ts'
import { act, why } from './act.ts'
import type { Act } from './act.ts'
import type { JobControl, Jobs } from './jobs.ts'
import { planResult } from './plan-result.ts'
import { npmRun } from './shell-words.ts'
import { optionName } from '../../../../infra/text/option-name.ts'

const place = z.string().trim().max(2_000).optional()
const names = z.array(z.string().min(1)).max(1_000).optional()
const options = z.object({
  rate: z.number().positive().optional(),
  max: z.number().int().positive().optional(),
  maxLag: z.number().int().min(0).optional(),
  skipFailed: z.boolean().optional(),
  acceptDrift: z.boolean().optional(),
  acceptLost: z.boolean().optional(),
  acceptUnreadable: z.boolean().optional(),
  createTopic: z.boolean().optional(),
  allowExternal: z.boolean().optional(),
  emit: z.enum(['same', 'corrected']).optional(),
})
const keptPlans = 20

/** Plans, and replays of them. Work ends with the server: a replay is then left and can be resumed. */
export function replayActs({ config }: ConsoleContext, jobs: Jobs): Record<string, Act> {
  const plans = new Map<string, Plan>()
  const id = z.number().int().positive()
  const row = z.object({ id })

  return {
    'replay-plan': act(
      z.object({
        mode: z.enum([...modeNames] as [Mode, ...Mode[]]),
        group: z.string().nullable(),
        topics: names,
        from: place,
        to: place,
        toTopic: z.string().optional(),
        keys: names,
        types: z.array(z.enum([...eventTypes] as [EventType, ...EventType[]])).optional(),
      }),
      ({ mode, group, topics, from, to, toTopic, keys, types }) => {
        const request = {
          ...{ mode, topics, toTopic },
          from: from ? parseRangeBound(from) : undefined,
          to: to ? parseRangeBound(to) : undefined,
          selector: { ...(keys && { keys }), ...(types && { types }) },
        }
        const command = npmRun(
          ...['replay', 'plan', '--mode', mode],
          ...(group === null ? [] : ['--group', group]),
          ...each('--topic', topics),
          ...(from ? ['--from', from] : []),
          ...(to ? ['--to', to] : []),
          ...(toTopic ? ['--to-topic', toTopic] : []),
          ...each('--key', keys),
          ...each('--type', types),
          ...['--out', 'plan.json'],
        )
        const job = jobs.start({
          title: 'Counting what a replay would touch',
          work: ({ signal, say }) =>
            withReplayContext(config, group, signal, async (context) => {
              const plan = await makePlan(context, request, {
                signal,
                onProgress: (offsets, total) =>
                  say([`${count(offsets)} of ${count(total, 'offset')} read`], offsets / total),
              })
              plans.set(plan.id, plan)
              for (const old of [...plans.keys()].slice(0, -keptPlans)) plans.delete(old)
              const result = planResult(plan, await reasonsAgainst(context, plan, {}))
              return {
                lines: [`${count(result.selected, 'event')} chosen of ${count(result.scanned, 'record')}.`],
                result,
              }
            }),
        })
        return Promise.resolve({ said: ['Counting'], command, job })
      },
    ),

    'replay-run': act(z.object({ plan: z.string(), options, why }), async (asked, who) => {
      const plan = plans.get(asked.plan)
      if (!plan)
        throw new TallyError('PRECONDITION_FAILED', 'The console does not have this plan any more: make it again')
      const command = npmRun('replay', 'run', 'plan.json', ...optionWords(asked.options), '--why', asked.why)
      await withReplayContext(config, plan.group, AbortSignal.timeout(30_000), (context) =>
        refuse(context, plan, asked.options),
      )
      return runJob(jobs, `${plan.mode} of ${plan.group ?? plan.toTopic}`, command, plan, (control) =>
        withReplayContext(config, plan.group, new AbortController().signal, (context) =>
          startReplay(context, plan, asked.options, {
            actor: who,
            why: asked.why,
            ...following(plan, control),
          }),
        ),
      )
    }),

    'replay-resume': act(row, ({ id: replay }) => {
      const command = npmRun('replay', 'resume', String(replay))
      return runJob(jobs, `Replay ${replay}`, command, undefined, (control) =>
        withReplay(config, replay, new AbortController().signal, (context, { plan }) =>
          resumeReplay(context, replay, {}, following(plan, control)),
        ),
      )
    }),

    'replay-pause': act(row, async ({ id: replay }) => {
      const paused = await withReplays(config, (pool) => pauseReplay({ pool }, replay, AbortSignal.timeout(30_000)))
      return { said: [`Replay ${replay} is ${paused.state}.`], command: npmRun('replay', 'pause', String(replay)) }
    }),

    'replay-cancel': act(row, ({ id: replay }) =>
      endJob(jobs, config, replay, 'cancel', (context, { signal }) => cancelReplay(context, replay, signal)),
    ),
    'replay-undo': act(row, ({ id: replay }) =>
      endJob(jobs, config, replay, 'undo', (context, { signal, say }) =>
        undoReplay(context, replay, { signal, onNote: (text) => say([text]) }),
      ),
    ),
  }
}

const each = (option: string, values: readonly string[] = []): string[] => values.flatMap((value) => [option, value])

const optionWords = (given: z.infer<typeof options>): string[] =>
  Object.entries(given).flatMap(([name, value]) => {
    const option = optionName(name)
    return value === true ? [option] : value === false || value === undefined ? [] : [option, String(value)]
  })

const following = (plan: Plan, { signal, say }: JobControl) => ({
  signal,
  onBegin: (id: number) => say([`Replay ${id} has begun`], 0),
  onProgress: ({ offsets, allOffsets, figures }: ReplayProgress) =>
    say([figuresSentence(plan, figures)], allOffsets === 0 ? 1 : offsets / allOffsets),
})

async function runJob(
  jobs: Jobs,
  title: string,
  command: string,
  plan: Plan | undefined,
  work: (control: JobControl) => Promise<ReplayEnd>,
) {
  const job = jobs.start({
    title,
    async work(control) {
      const { id, state, reason, figures } = await work(control)
      const sentence = plan ? `: ${figuresSentence(plan, figures)}` : ''
      return {
        lines: [`Replay ${id} is ${state}${sentence}.`, ...(reason === null ? [] : [`Reason: ${reason}.`])],
        failed: state === 'stopped',
      }
    },
  })
  return { said: [title], command, job }
}

async function endJob(
  jobs: Jobs,
  config: ConsoleContext['config'],
  replay: number,
  verb: 'cancel' | 'undo',
  work: (
    context: ReplayContext,
    control: JobControl,
  ) => Promise<{ state: string; plan: Plan; figures: ReplayEnd['figures'] }>,
) {
  const command = npmRun('replay', verb, String(replay))
  const job = jobs.start({
    title: `Replay ${replay}: ${verb}`,
    work: (control) =>
      withReplay(config, replay, control.signal, async (context) => {
        const { state, plan, figures } = await work(context, control)
        return { lines: [`Replay ${replay} is ${state}: ${figuresSentence(plan, figures)}.`] }
      }),
  })
  return Promise.resolve({ said: [`Replay ${replay}: ${verb}`], command, job })
}
