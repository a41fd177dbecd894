import { useCallback, useEffect, useSyncExternalStore } from 'react'
import type { Problem } from '../../contract/problem.ts'
import type { Hello, Session } from '../../contract/session.ts'
import { ask, asksForToken } from './ask.ts'

/**
 * - paused  by the operator
 * - lost  the server does not answer; the browser tries again
 * - signed-out  the server asks for a token
 */
export type Connection = 'connecting' | 'live' | 'lost' | 'paused' | 'signed-out'

/** The last reading of a feed. After a problem the data stays, so that a part that is away blanks no page. */
export interface Reading<T> {
  readonly data: T | undefined
  readonly problem: Problem | undefined
  /** When the data was last known to be right, epoch ms. */
  readonly freshAt: number | undefined
}

const none: Reading<never> = { data: undefined, problem: undefined, freshAt: undefined }
const remembered = 60
const reopenAfterMs = 2_000

/** All that the tab watches, over one stream. */
class Live {
  connection: Connection = 'connecting'
  actor = ''
  /** Who is signed in, or was until the session ended. Undefined where the console asks for no token. */
  session: Session | undefined
  /** Why the server refuses to answer. */
  refusal: Problem | undefined
  /** Whether the form to sign in again lies over the page. */
  signInOpen = false
  /** How often the server was found restarted. */
  restarts = 0
  private boot = ''
  private source: EventSource | undefined
  private watching = ''
  private scheduled = false
  private readonly wanted = new Map<string, number>()
  private readonly readings = new Map<string, Reading<unknown>>()
  private readonly listeners = new Set<() => void>()

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  reading = (feed: string): Reading<unknown> => this.readings.get(feed) ?? none

  want(feed: string): () => void {
    this.wanted.set(feed, (this.wanted.get(feed) ?? 0) + 1)
    this.schedule()
    return () => {
      const left = (this.wanted.get(feed) ?? 1) - 1
      if (left > 0) this.wanted.set(feed, left)
      else this.wanted.delete(feed)
      this.schedule()
    }
  }

  setPaused(paused: boolean): void {
    if (this.connection === 'signed-out') return
    this.close(paused ? 'paused' : 'connecting')
    if (!paused) this.schedule()
  }

  /** Finds out whether this browser is still signed in, and as whom, and reads again if so. */
  async checkSession(): Promise<void> {
    if (await this.learnSession()) this.signedIn(this.session)
  }

  /** @returns false if the server does not answer, or asks for a token */
  private async learnSession(): Promise<boolean> {
    const { body, problem } = await ask<Session | Record<never, never>>('/api/session')
    if (body) this.session = 'subject' in body ? body : undefined
    this.refusal = problem?.status === undefined ? undefined : problem
    if (problem && asksForToken(problem)) this.close('signed-out')
    else this.tell()
    return body !== undefined
  }

  openSignIn(open: boolean): void {
    this.signInOpen = open
    this.tell()
  }

  signedIn(session: Session | undefined): void {
    this.session = session
    this.refusal = undefined
    this.signInOpen = false
    if (this.connection === 'paused') return this.tell()
    this.close('connecting')
    this.schedule()
  }

  /** Nobody is signed in any more, by their own will: nothing that was read stays. */
  leave(): void {
    this.session = undefined
    this.refusal = undefined
    this.signInOpen = false
    this.readings.clear()
    this.close('signed-out')
  }

  private close(connection: Connection): void {
    this.connection = connection
    this.watching = ''
    this.source?.close()
    this.source = undefined
    this.tell()
  }

  /** Reads again at once, as after an act. */
  refresh(): void {
    if (this.isHeld()) return
    this.watching = ''
    this.schedule()
  }

  private readonly isHeld = (): boolean => this.connection === 'paused' || this.connection === 'signed-out'

  /** Pages change several feeds at once: one new stream is enough. */
  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    queueMicrotask(() => {
      this.scheduled = false
      this.open()
    })
  }

  private open(): void {
    if (this.isHeld()) return
    const feeds = [...this.wanted.keys()].sort()
    const url = `/api/stream?${feeds.map((feed) => `watch=${encodeURIComponent(feed)}`).join('&')}`
    if (url === this.watching) return
    this.watching = url
    this.source?.close()
    const source = new EventSource(url)
    this.source = source
    const on = <T>(event: string, handle: (body: T) => void) =>
      source.addEventListener(event, ({ data }: MessageEvent<string>) => {
        if (this.source === source) handle(JSON.parse(data) as T)
      })
    on<Hello>('hello', ({ boot, actor, session }) => {
      if (this.boot !== '' && this.boot !== boot) this.restarts++
      this.boot = boot
      this.actor = actor
      this.session = session
      this.refusal = undefined
      this.connection = 'live'
      this.tell()
    })
    on<{ feed: string; body: unknown }>('data', ({ feed, body }) =>
      this.keep(feed, { data: body, problem: undefined, freshAt: Date.now() }),
    )
    on<{ feed: string }>('same', ({ feed }) => {
      const before = this.reading(feed)
      this.keep(feed, before.problem ? before : { ...before, freshAt: Date.now() })
    })
    on<{ feed: string; problem: Problem }>('trouble', ({ feed, problem }) =>
      this.keep(feed, { ...this.reading(feed), problem }),
    )
    on('over', () => void this.checkSession())
    source.onerror = () => {
      if (this.source !== source) return
      if (source.readyState === EventSource.CLOSED) return void this.onRefused(source)
      this.connection = 'lost' // The browser tries again
      this.tell()
    }
  }

  /** The server answered the stream with a refusal, which an EventSource does not show. */
  private async onRefused(source: EventSource): Promise<void> {
    await this.learnSession()
    if (this.source !== source) return
    this.connection = 'lost'
    this.tell()
    setTimeout(() => {
      if (this.source !== source) return
      this.watching = ''
      this.open()
    }, reopenAfterMs)
  }

  private keep(feed: string, reading: Reading<unknown>): void {
    this.readings.delete(feed)
    this.readings.set(feed, reading)
    for (const old of [...this.readings.keys()].slice(0, -remembered))
      if (!this.wanted.has(old)) this.readings.delete(old)
    this.tell()
  }

  private tell(): void {
    for (const listener of this.listeners) listener()
  }
}

export const live = new Live()

/** The present state of a feed, kept up to date while the component is shown. */
export function useFeed<T>(feed: string): Reading<T> {
  useEffect(() => live.want(feed), [feed])
  return useSyncExternalStore(
    live.subscribe,
    useCallback(() => live.reading(feed), [feed]),
  ) as Reading<T>
}

export const useConnection = (): Connection => useSyncExternalStore(live.subscribe, () => live.connection)
export const useRestarts = (): number => useSyncExternalStore(live.subscribe, () => live.restarts)
export const useServerActor = (): string => useSyncExternalStore(live.subscribe, () => live.actor)
