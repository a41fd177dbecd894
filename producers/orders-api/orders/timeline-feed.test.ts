import { afterEach, describe, expect, test } from '@jest/globals'
import { silentLogger } from '../../../infra/logger.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import type { OrderStatus, TimelineEntry } from '../http/contract.ts'
import { TimelineFeed } from './timeline-feed.ts'

const entry = (seq: number) => ({ seq, summary: `entry ${seq}` }) as TimelineEntry
const status = (orderId: string, endedAt: string | null) => ({ orderId, endedAt }) as OrderStatus

/** A feed over lists, and what a watcher of it gets. */
function setUp({ maxWatchers }: { maxWatchers?: number } = {}) {
  const timelines = new Map<string, TimelineEntry[]>()
  const ended = new Set<string>()
  const asked: string[][] = []
  let failing = false
  const reader = {
    async statuses(ids: readonly string[]) {
      asked.push([...ids])
      if (failing) throw new Error('away')
      return ids.map((id) => status(id, ended.has(id) ? 'now' : null))
    },
    async timeline(after: ReadonlyMap<string, number>) {
      return new Map([...after].map(([id, seq]) => [id, (timelines.get(id) ?? []).filter((one) => one.seq > seq)]))
    },
  }
  feed = new TimelineFeed({ reader, pollMs: 1, maxWatchers, log: silentLogger })
  const watch = (orderId: string, after = 0) => {
    const got: (number | string)[] = []
    const watcher = {
      orderId,
      after,
      onEntry: ({ seq }: TimelineEntry) => void got.push(seq),
      onEnd: (end?: OrderStatus) => void got.push(end ? 'end' : 'stopped'),
    }
    return { got, watcher, accepted: feed.watch(watcher) }
  }
  return { timelines, ended, asked, watch, fail: (now: boolean) => (failing = now) }
}

let feed: TimelineFeed
afterEach(() => feed.stop())

describe('a timeline feed', () => {
  test('gives each watcher what it has not seen, with one question for all, and nothing after the end', async () => {
    const { timelines, ended, asked, watch } = setUp()
    timelines.set('o-1', [entry(1), entry(2)])
    const [all, rest, other] = [watch('o-1'), watch('o-1', 1), watch('o-2')]
    await waitUntil('all entries', () => all.got.length === 2)
    expect(rest.got).toEqual([2])
    expect(asked.at(-1)).toEqual(['o-1', 'o-2'])
    timelines.set('o-1', [entry(1), entry(2), entry(3)])
    ended.add('o-1')
    await waitUntil('the end', () => rest.got.includes('end'))
    expect([all.got, rest.got, other.got]).toEqual([[1, 2, 3, 'end'], [2, 3, 'end'], []])
    await waitUntil('o-1 to be polled no longer', () => asked.at(-1)?.join() === 'o-2')
  })

  test('is idle without watchers, and polls again for the next one', async () => {
    const { timelines, asked, watch } = setUp()
    feed.unwatch(watch('o-1').watcher)
    await waitUntil('the last question', () => !feed.busy)
    const before = asked.length
    timelines.set('o-2', [entry(1)])
    const { got } = watch('o-2')
    await waitUntil('the entry', () => got.length === 1)
    expect(new Set(asked.slice(before).map((ids) => ids.join()))).toEqual(new Set(['o-2']))
  })

  test('continues when the database is back', async () => {
    const { timelines, asked, watch, fail } = setUp()
    timelines.set('o-1', [entry(1)])
    fail(true)
    const { got } = watch('o-1')
    await waitUntil('some vain questions', () => asked.length > 2)
    expect(got).toEqual([])
    fail(false)
    await waitUntil('the entry', () => got.length === 1)
  })

  test('takes no more watchers than it may, and none once stopped', async () => {
    const { watch } = setUp({ maxWatchers: 2 })
    const watchers = [watch('o-1'), watch('o-2'), watch('o-3')]
    expect(watchers.map(({ accepted }) => accepted)).toEqual([true, true, false])
    feed.unwatch(watchers[0]?.watcher as never)
    expect(watch('o-3').accepted).toBe(true)
    await feed.stop()
    expect(watchers[1]?.got).toEqual(['stopped'])
    expect(watch('o-1').accepted).toBe(false)
  })
})
