import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { lastActs } from '../../consumers/operations/parked/last-acts.ts'
import { dropChosen } from '../../consumers/operations/parked/drop-parked.ts'
import { printJson } from '../cli/command.ts'
import { count } from '../cli/figures.ts'
import { actorOf } from '../cli/consent.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import { agreedTo } from './consent.ts'
import { progressByGroup } from './group-progress.ts'

export interface DropOptions {
  yes?: boolean
  actor?: string
  why: string
  json?: boolean
}

export async function drop(chosen: readonly Chosen[], options: DropOptions, signal: AbortSignal): Promise<void> {
  const agreed = await agreedTo('Drop for good', chosen, options)
  const progress = progressByGroup((group) => `${group} dropped`)
  const by = { actor: actorOf(options), why: options.why }
  const dropped = await dropChosen(agreed ?? [], by, {
    signal,
    onProgress: (group, events) => progress.of(group).update(events),
    onGroup: (group) => progress.of(group).finish(),
  })
  if (options.json) printJson({ dropped })
  else if (agreed) printReport(dropReport(dropped, dropped.length > 0 ? [] : await lastActs(agreed)))
}

/**
 * How many events were dropped, in all and by group.
 * @param instead who was faster, if none was
 */
export const dropReport = (
  dropped: readonly { group: string; events: number }[],
  instead: readonly string[] = [],
): Report => ({
  verdict:
    dropped.length === 0
      ? `No event was dropped: ${instead.join('; ') || 'none is parked any more'}.`
      : `${count(
          dropped.reduce((sum, { events }) => sum + events, 0),
          'event',
        )} dropped. Events that waited behind them are due now.`,
  parts: [
    dropped.length > 1
      ? { head: ['group', 'dropped'], rows: dropped.map((each) => [each.group, each.events]) }
      : undefined,
  ],
  next: 'npm run parked -- log',
})
