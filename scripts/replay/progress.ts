import type { Following, ReplayEnd } from '../../consumers/operations/replay/run/execute-run.ts'
import type { Plan } from '../../consumers/operations/replay/plan.ts'
import type { ReplayProgress } from '../../consumers/operations/replay/run/replay-table.ts'
import type { Starting } from '../../consumers/operations/replay/run/run-replay.ts'
import { printJson, say } from '../cli/command.ts'
import { createProgress } from '../cli/progress.ts'
import type { Progress } from '../cli/progress.ts'
import { figuresSentence } from './figures.ts'

/** What `runFollowed` hands to the replay it runs. */
export type FollowedBy = Following & Pick<Starting, 'onBegin'>

export interface FollowOptions {
  readonly json: boolean | undefined
  readonly signal: AbortSignal
  /** Records that are behind it already. */
  readonly scanned?: number
}

/**
 * Runs a replay and tells how far it is: a line on standard error, or with `json` an object a line on standard output, each
 * with `event`: `begun`, `progress`, `note`, `ended`. Then how it ended, as a sentence and as exit code.
 */
export async function runFollowed(
  plan: Plan,
  { json, signal, scanned = 0 }: FollowOptions,
  run: (by: FollowedBy) => Promise<ReplayEnd>,
): Promise<void> {
  const total = Math.max(0, plan.partitions.reduce((sum, range) => sum + range.scanned, 0) - scanned)
  const choosy = Object.keys(plan.selector).length > 0
  let shown: Progress | undefined
  let noted = ''
  const show = (progress: ReplayProgress) => {
    const chosen = choosy ? `${progress.selected.toLocaleString('en')} chosen` : ''
    shown?.update(progress.scanned - scanned, [chosen, noted].filter(Boolean).join(', '))
  }
  const end = await run({
    signal,
    onBegin(id) {
      if (json) return printJson({ event: 'begun', id, mode: plan.mode })
      say(
        `Replay ${id} ${scanned > 0 ? 'goes on' : 'has begun'}. To stop it from another terminal: npm run replay -- pause ${id}`,
      )
      shown = createProgress(`Replay ${id}`, { total })
    },
    onProgress(progress) {
      if (json) printJson({ event: 'progress', ...jsonOf(progress) })
      else show(progress)
    },
    onNote(text) {
      if (json) printJson({ event: 'note', text })
      else if (text !== noted && !process.stderr.isTTY) say(text)
      noted = text
    },
  })
  noted = ''
  show(end)
  shown?.finish()
  process.exitCode = exitCodeOf(end)
  if (json)
    printJson({
      event: 'ended',
      id: end.id,
      state: end.state,
      because: end.because,
      reason: end.reason,
      ...jsonOf(end),
    })
  else say(endSentence(plan, end))
}

const jsonOf = ({ offsets, allOffsets, scanned, selected, figures }: ReplayProgress) => ({
  offsets,
  allOffsets,
  scanned,
  selected,
  figures,
})

/** What was asked for is no failure, even if the replay has not ended by it. */
const exitCodeOf = ({ because }: ReplayEnd): number =>
  because === 'signal' ? 130 : because === 'failure' || because === 'lag' ? 1 : 0

export function endSentence(plan: Pick<Plan, 'mode' | 'toTopic'>, end: ReplayEnd): string {
  const figures = figuresSentence(plan, end.figures)
  if (end.state === 'done') return figures
  const next = end.state === 'cancelled' ? '' : `. Next: npm run replay -- resume ${end.id}`
  return `Replay ${end.id} is ${end.state}: ${end.reason}. So far ${figures}${next}`
}
