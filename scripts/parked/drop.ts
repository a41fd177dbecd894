import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { dropChosen } from '../../consumers/operations/parked/drop-parked.ts'
import { printJson, say } from '../cli/command.ts'
import { count } from '../cli/figures.ts'
import { actorOf } from '../cli/consent.ts'
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
  else if (agreed) {
    const events = dropped.reduce((sum, each) => sum + each.events, 0)
    say(`${count(events, 'event')} dropped. Events that waited behind them are due now.`)
  }
}
