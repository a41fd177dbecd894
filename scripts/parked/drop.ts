import { dropParked } from '../../consumers/operations/parked/drop-parked.ts'
import { printJson } from '../cli/command.ts'
import { actorOf } from '../cli/consent.ts'
import { createProgress } from '../cli/progress.ts'
import { agreedTo } from './consent.ts'
import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'

export interface DropOptions {
  yes?: boolean
  actor?: string
  why: string
  json?: boolean
}

export async function drop(chosen: readonly Chosen[], options: DropOptions, signal: AbortSignal): Promise<void> {
  const agreed = await agreedTo('Drop for good', chosen, options)
  const dropped: { group: string; events: number }[] = []
  for (const { lot, selection } of agreed ?? []) {
    const progress = createProgress(`${lot.group} dropped`)
    const ids = await dropParked(
      lot.pool,
      selection,
      { actor: actorOf(options), why: options.why },
      { signal, onProgress: (done) => progress.update(done) },
    )
    if (ids.length === 0) continue
    dropped.push({ group: lot.group, events: ids.length })
    progress.finish('what waited behind is due now')
  }
  if (options.json) printJson({ dropped })
}
