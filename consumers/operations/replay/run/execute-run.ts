import { setTimeout as delay } from 'node:timers/promises'
import { describeError, isTallyError, TallyError } from '../../../../infra/errors.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import { liveLag } from './live-lag.ts'
import type { ReplayContext, ReplayRun } from '../mode.ts'
import { modes } from './modes.ts'
import { Pacing } from './pacing.ts'
import { endRun, readProgress, readRanges, saveAdvance, saveFailures } from './replay-table.ts'
import type { ReplayProgress, ReplayRow, ReplayState } from './replay-table.ts'
import type { TargetLock } from './target-lock.ts'

const pollMs = 500
const lagEveryMs = 1_000

/** How a run ended. */
export interface ReplayEnd extends ReplayProgress {
  readonly id: number
  readonly state: ReplayState
  readonly because: 'done' | 'asked' | 'limit' | 'signal' | 'lag' | 'failure'
  /** A clause; null when done. */
  readonly reason: string | null
}

export interface Following {
  /** Pauses the replay. */
  readonly signal?: AbortSignal
  /** Called about twice a second with the saved progress. */
  onProgress?(progress: ReplayProgress): void
  onNote?(text: string): void
}

/** A run of this process, with its replay at the beginning of the run. */
export type OwnRun = Pick<ReplayRow, 'id' | 'mode' | 'plan' | 'options' | 'figures' | 'run'>

/** The view of a mode on a replay. */
export async function openRun(
  { pool, log }: Pick<ReplayContext, 'pool' | 'log'>,
  own: OwnRun,
  more: Partial<Pick<ReplayRun, 'signal' | 'atOnce' | 'pace' | 'note'>> = {},
): Promise<ReplayRun> {
  const { id, plan, options, figures } = own
  return {
    id,
    plan,
    options,
    partitions: await readRanges(pool, id),
    figures,
    signal: new AbortController().signal,
    atOnce: (most) => most,
    pace: async () => {},
    note: (text) => log.info({ replay: id }, text),
    ...more,
    async advance(tx, advances, added) {
      if (!(await saveAdvance(tx, own, advances, added)))
        throw new TallyError('FENCED', `another process has resumed replay ${id}`)
    },
    noteFailures: (tx, failures) => saveFailures(tx, id, failures),
  }
}

type Stop = Pick<ReplayEnd, 'because'> & { readonly state: 'paused' | 'stopped' | 'cancelled'; readonly reason: string }

/**
 * Runs the mode until it ends or is stopped, and saves how it ended.
 * @throws TallyError FENCED if another process has resumed it; errors of saving the end: the replay then counts as died
 */
export async function executeRun(
  context: ReplayContext,
  lock: TargetLock,
  own: OwnRun,
  following: Following,
): Promise<ReplayEnd> {
  const stopping = new Stopping(own, following.signal, lock.lost)
  const pacing = new Pacing(own.options, () =>
    stopping.stop({
      state: 'paused',
      because: 'limit',
      reason: `it has taken the ${own.options.max} events asked for`,
    }),
  )
  const { signal } = stopping
  const run = await openRun(context, own, {
    signal,
    atOnce: (most) => pacing.atOnce(most),
    pace: (events) => pacing.pace(events, signal),
    ...(following.onNote && { note: following.onNote }),
  })
  const ended = new AbortController()
  const watching = Promise.all([
    watch(lock, own, stopping, following, ended.signal),
    watchLag(context, own, stopping, ended.signal),
  ])
  let stop: Stop | undefined
  try {
    await modes[own.mode].run(context, run)
  } catch (error) {
    if (isTallyError(error, 'FENCED')) throw error
    stop = stopping.stopped ?? { state: 'stopped', because: 'failure', reason: describeError(error) }
    if (!stopping.stopped) context.log.warn({ replay: own.id, error: describeError(error) }, 'replay stopped')
  } finally {
    ended.abort()
    await watching
    stopping[Symbol.dispose]()
  }
  if (stop?.state === 'cancelled') await abandonReplay(context, own)
  return keepEnd(context, own, stop ?? { state: 'done', because: 'done', reason: null })
}

/** Lets the mode clean up after a replay that will not be resumed. */
export async function abandonReplay(context: ReplayContext, own: OwnRun): Promise<void> {
  const { figures } = await readProgress(context.pool, own.id)
  await modes[own.mode].abandon(context, await openRun(context, { ...own, figures }))
}

export async function keepEnd(
  { pool }: Pick<ReplayContext, 'pool'>,
  own: Pick<OwnRun, 'id' | 'run'>,
  end: Pick<ReplayEnd, 'state' | 'because' | 'reason'>,
): Promise<ReplayEnd> {
  return inTransaction(pool, async (tx) => {
    if (!(await endRun(tx, own, end.state, end.reason)))
      throw new TallyError('FENCED', `another process has resumed replay ${own.id}`)
    return { ...(await readProgress(tx, own.id)), ...end, id: own.id }
  })
}

/** Collects reasons to stop a run; the first one counts. */
class Stopping {
  private readonly controller = new AbortController()
  private readonly undo: (() => void)[] = []
  stopped: Stop | undefined

  constructor({ id }: OwnRun, outside: AbortSignal | undefined, lost: AbortSignal) {
    if (outside) this.on(outside, { state: 'paused', because: 'signal', reason: 'it was stopped by a signal' })
    this.on(lost, { state: 'stopped', because: 'failure', reason: `the connection of replay ${id} was lost` })
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  stop(stop: Stop): void {
    this.stopped ??= stop
    this.controller.abort(new TallyError('INTERRUPTED', this.stopped.reason))
  }

  [Symbol.dispose](): void {
    for (const off of this.undo) off()
  }

  private on(signal: AbortSignal, stop: Stop): void {
    const onAbort = () => this.stop(stop)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    this.undo.push(() => signal.removeEventListener('abort', onAbort))
  }
}

/** Polls for pause and cancel requests, reports progress. Never rejects. */
async function watch(
  { connection }: TargetLock,
  { id, run, options: { until = Infinity } }: OwnRun,
  stopping: Stopping,
  { onProgress }: Following,
  ended: AbortSignal,
): Promise<void> {
  while (await stillRuns(pollMs, ended)) {
    try {
      const progress = await readProgress(connection, id)
      if (ended.aborted) return
      onProgress?.(progress)
      if (progress.run !== run)
        stopping.stop({ state: 'stopped', because: 'failure', reason: 'it was resumed elsewhere' })
      if (progress.wanted === 'pause')
        stopping.stop({ state: 'paused', because: 'asked', reason: 'requested by an operator' })
      if (progress.wanted === 'cancel')
        stopping.stop({ state: 'cancelled', because: 'asked', reason: 'requested by an operator' })
      if (Date.now() >= until)
        stopping.stop({ state: 'paused', because: 'limit', reason: `it is ${new Date(until).toISOString()}` })
    } catch (error) {
      stopping.stop({ state: 'stopped', because: 'failure', reason: describeError(error) })
    }
  }
}

/** A limit that cannot be monitored stops the run, too. Never rejects. */
async function watchLag(
  context: ReplayContext,
  { options: { maxLag } }: OwnRun,
  stopping: Stopping,
  ended: AbortSignal,
): Promise<void> {
  if (maxLag === undefined) return
  const stop = (reason: string) => stopping.stop({ state: 'stopped', because: 'lag', reason })
  try {
    await withAdmin(context.kafka, async (admin) => {
      do {
        const lag = await liveLag(context, admin)
        if (lag > maxLag) stop(`${lag} new events wait for ${context.definition?.group}, more than ${maxLag}`)
      } while (await stillRuns(lagEveryMs, ended))
    })
  } catch (error) {
    stop(`the lag of live events cannot be read: ${describeError(error)}`)
  }
}

async function stillRuns(ms: number, ended: AbortSignal): Promise<boolean> {
  await delay(ms, undefined, { signal: ended, ref: false }).catch(() => {})
  return !ended.aborted
}
