import { setTimeout as delay } from 'node:timers/promises'

export interface Waiting<State> {
  /** Reads the current state. */
  look(): Promise<State>
  isDone(state: State): boolean
  /**
   * How much is left; a new minimum counts as progress. Without this function nothing counts as progress, and
   * `patienceMs` is a deadline.
   */
  remaining?(state: State): number
  /** Called after each look. */
  onProgress?(state: State): void
  /**
   * Called at each look after `quietMs` without progress.
   * @param quietForMs time since the last progress
   * @returns true to give up
   */
  onQuiet?(state: State, quietForMs: number): Promise<boolean | undefined>
  /** @default 2000 */
  readonly quietMs?: number
  /** Gives up after this time without progress. @default never */
  readonly patienceMs?: number
  /** Between two looks, milliseconds. */
  readonly everyMs: number
  readonly signal?: AbortSignal | undefined
}

/** The last state, and whether all is done or the wait was given up. */
export interface Waited<State> {
  readonly state: State
  readonly done: boolean
}

/**
 * Waits until nothing is left to do, or until there is no more progress. All operations use this waiting loop.
 * @throws the signal's reason; errors of the callbacks
 */
export async function waitUntilQuiet<State>({
  look,
  isDone,
  remaining = () => 0,
  onProgress,
  onQuiet,
  quietMs = 2_000,
  patienceMs = Infinity,
  everyMs,
  signal,
}: Waiting<State>): Promise<Waited<State>> {
  let least = Infinity
  for (let movedAt = performance.now(); ; ) {
    const state = await look()
    onProgress?.(state)
    if (isDone(state)) return { state, done: true }
    const left = remaining(state)
    if (left < least) {
      if (least < Infinity) movedAt = performance.now()
      least = left
    }
    const quietForMs = performance.now() - movedAt
    if (quietForMs >= Math.min(quietMs, patienceMs) && (await onQuiet?.(state, quietForMs)))
      return { state, done: false }
    if (quietForMs >= patienceMs) return { state, done: false }
    await delay(everyMs, undefined, { signal }).catch(() => {})
    signal?.throwIfAborted()
  }
}
