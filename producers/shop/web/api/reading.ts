import { useSyncExternalStore } from 'react'
import { problemOf } from './ask.ts'
import type { Problem } from './ask.ts'

/** The last reading; after a problem the data stays, so that a part that is away blanks no page. */
export interface Reading<T> {
  readonly data: T | undefined
  readonly problem: Problem | undefined
}

/** Data that is read while a component shows it: once, or again and again. */
export class Source<T> {
  private readonly read: (signal: AbortSignal, show: (data: T) => void) => Promise<T>
  private readonly everyMs: number | undefined
  private readonly listeners = new Set<() => void>()
  private reading: Reading<T> = { data: undefined, problem: undefined }
  private stopped = new AbortController()
  private busy = false
  /** Whether a reading has come to its end: what was shown before may be a part. */
  private isWhole = false
  private timer: ReturnType<typeof setTimeout> | undefined

  /**
   * @param read may show what it has before it has all
   * @param everyMs without it, the data is read again after a failure only
   */
  constructor(read: (signal: AbortSignal, show: (data: T) => void) => Promise<T>, everyMs?: number) {
    this.read = read
    this.everyMs = everyMs
  }

  get = (): Reading<T> => this.reading

  use = (): Reading<T> => useSyncExternalStore(this.watch, this.get)

  /** Reads now, if anybody looks. */
  refresh = async (): Promise<void> => {
    const { signal } = this.stopped
    if (this.busy || signal.aborted) return
    this.busy = true
    clearTimeout(this.timer)
    const show = (data: T) => signal.aborted || this.change({ data, problem: undefined })
    try {
      const data = await this.read(signal, show)
      if (signal.aborted) return
      this.isWhole = true
      show(data)
    } catch (error) {
      if (!signal.aborted) this.change({ data: this.reading.data, problem: problemOf(error) })
    } finally {
      if (!signal.aborted) {
        this.busy = false
        this.plan()
      }
    }
  }

  /** Nobody looks at a hidden page: it is read again when it is shown. */
  private plan(): void {
    const afterMs = this.reading.problem ? 3_000 : this.everyMs
    if (afterMs === undefined) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => (document.hidden ? this.plan() : void this.refresh()), afterMs)
  }

  /** Reads as long as there is a listener, which is called at every change. @returns ends that */
  watch = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    if (this.listeners.size === 1) {
      this.stopped = new AbortController()
      if (this.everyMs !== undefined || !this.isWhole) void this.refresh()
    }
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size > 0) return
      clearTimeout(this.timer)
      this.stopped.abort()
      this.busy = false
    }
  }

  private change(reading: Reading<T>): void {
    this.reading = reading
    for (const listener of this.listeners) listener()
  }
}
