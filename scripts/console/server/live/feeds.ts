import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../../../infra/config.ts'
import { TallyError } from '../../../../infra/errors.ts'
import type { Reply } from '../../../../producers/orders-api/http/reply.ts'
import { problemOf } from '../http/failures.ts'

/** What a page shows and keeps up to date. */
export interface Feed {
  /** Pause between two readings while somebody watches, milliseconds. */
  readonly everyMs: number
  /** Its time grows with a table: it is repeated the less often the longer it takes. */
  readonly grows?: true
  /** Returns JSON. */
  read(query: URLSearchParams, signal: AbortSignal): Promise<object>
}

/** A reading that succeeded, as JSON text, or the problem instead. */
export type Reading = { readonly json: string } | { readonly problem: NonNullable<Reply['body']> }

export type Watcher = (name: string, reading: Reading, isNew: boolean) => void

interface Watched {
  readonly watchers: Set<Watcher>
  readonly ending: AbortController
  last?: Reading
}

/** Keeps what grows under 1 % of the time, unless pages would then show what is long out of date. */
const pauseOf = ({ everyMs, grows }: Feed, tookMs: number): number =>
  grows ? Math.max(everyMs, Math.min(100 * tookMs, 30_000)) : everyMs

/** Reads each feed once at a time for all who watch it; a feed that nobody watches is not read. */
export class Feeds {
  private readonly feeds: Readonly<Record<string, Feed>>
  private readonly config: Config
  private readonly watched = new Map<string, Watched>()

  constructor(feeds: Readonly<Record<string, Feed>>, config: Config) {
    this.feeds = feeds
    this.config = config
  }

  /**
   * Calls the watcher with every reading from now on; at once with the last one, if there is one.
   * @param name of the feed with its query, `orders?status=ready`
   * @returns ends it
   * @throws TallyError USAGE for an unknown feed
   */
  watch(name: string, watcher: Watcher): () => void {
    const [feed, query] = this.find(name)
    let watched = this.watched.get(name)
    if (!watched) {
      watched = { watchers: new Set(), ending: new AbortController() }
      this.watched.set(name, watched)
      void this.poll(name, feed, query, watched)
    }
    watched.watchers.add(watcher)
    if (watched.last) watcher(name, watched.last, true)
    const mine = watched
    return () => {
      mine.watchers.delete(watcher)
      if (mine.watchers.size > 0 || this.watched.get(name) !== mine) return
      this.watched.delete(name)
      mine.ending.abort()
    }
  }

  /** One reading. @throws TallyError USAGE for an unknown feed; what the feed throws */
  async once(name: string, signal: AbortSignal): Promise<object> {
    const [feed, query] = this.find(name)
    return feed.read(query, signal)
  }

  stop(): void {
    for (const { ending } of this.watched.values()) ending.abort()
    this.watched.clear()
  }

  private find(name: string): [Feed, URLSearchParams] {
    const [path = '', query = ''] = name.split(/\?(.*)/s)
    const feed = Object.hasOwn(this.feeds, path) ? this.feeds[path] : undefined
    if (!feed) throw new TallyError('USAGE', `The console has no page "${path}"`)
    return [feed, new URLSearchParams(query)]
  }

  private async poll(name: string, feed: Feed, query: URLSearchParams, watched: Watched): Promise<void> {
    const { signal } = watched.ending
    while (!signal.aborted) {
      const before = watched.last
      const began = performance.now()
      const reading = await this.readSafely(feed, query, signal)
      if (signal.aborted) return
      watched.last = reading
      const isNew = JSON.stringify(before) !== JSON.stringify(reading)
      for (const watcher of watched.watchers) watcher(name, reading, isNew)
      await delay(pauseOf(feed, performance.now() - began), undefined, { signal }).catch(() => {})
    }
  }

  private async readSafely(feed: Feed, query: URLSearchParams, signal: AbortSignal): Promise<Reading> {
    try {
      return { json: JSON.stringify(await feed.read(query, signal)) }
    } catch (error) {
      return { problem: problemOf(error, this.config).body ?? {} }
    }
  }
}
