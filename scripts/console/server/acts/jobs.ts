import { randomUUID } from 'node:crypto'
import type { Config } from '../../../../infra/config.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { explainFailure } from '../../../../infra/explain-failure.ts'
import type { Job } from '../../contract/problem.ts'
import type { Feed } from '../live/feeds.ts'

/** How work tells how far it is. */
export interface JobControl {
  readonly signal: AbortSignal
  /** Replaces what was said so far. @param progress 0 to 1 */
  say(lines: readonly string[], progress?: number): void
}

export interface NewJob {
  readonly title: string
  /** Returns JSON for the page, and what was done in sentences. */
  work(
    control: JobControl,
  ): Promise<{ readonly lines: readonly string[]; readonly result?: unknown; readonly failed?: boolean }>
}

const kept = 50

/** Work that takes longer than a request may. It goes on without a page that watches it, and ends with the server. */
export class Jobs {
  private readonly jobs = new Map<string, { job: Job; ending: AbortController }>()
  private readonly config: Config

  constructor(config: Config) {
    this.config = config
  }

  /** @returns its id */
  start({ title, work }: NewJob): string {
    const ending = new AbortController()
    const id = randomUUID()
    const startedAt = new Date().toISOString()
    const job: Job = {
      id,
      title,
      startedAt,
      endedAt: null,
      state: 'running',
      lines: [],
      progress: null,
      result: null,
    }
    const entry = { job, ending }
    this.jobs.set(id, entry)
    for (const [old, { job: past }] of this.jobs)
      if (this.jobs.size > kept && past.state !== 'running') this.jobs.delete(old)
    const update = (changes: Partial<Job>) => (entry.job = { ...entry.job, ...changes })
    const end = (changes: Partial<Job>) => update({ ...changes, endedAt: new Date().toISOString(), progress: null })
    work({ signal: ending.signal, say: (lines, progress) => update({ lines, progress: progress ?? null }) }).then(
      ({ lines, result = null, failed }) => end({ lines, result, state: failed ? 'failed' : 'done' }),
      (error: unknown) => {
        const sentence = ending.signal.aborted ? 'Interrupted' : explainFailure(error, () => this.config).sentence
        end({ lines: [...entry.job.lines, sentence], state: 'failed' })
      },
    )
    return id
  }

  /** Asks it to stop; what it has done by then stays. */
  interrupt(id: string): void {
    this.find(id).ending.abort()
  }

  readonly feed: Feed = {
    everyMs: 300,
    read: (query) => Promise.resolve(this.find(query.get('id') ?? '').job),
  }

  stop(): void {
    for (const { ending } of this.jobs.values()) ending.abort()
  }

  private find(id: string): { job: Job; ending: AbortController } {
    const found = this.jobs.get(id)
    if (!found)
      throw new TallyError('USAGE', 'The console does not know this work any more: it was restarted meanwhile')
    return found
  }
}
