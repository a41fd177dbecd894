import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { LaneFeed, limitPerLane } from './lane-feed.ts'
import { eventsOf, joinByTopic } from './outbox-batch.ts'
import type { OutboxBatch } from './outbox-batch.ts'
import { batchOf } from './testing/stored-events.ts'

const row = (seq: number): OutboxBatch => batchOf(0, seq, { value: Buffer.alloc(100) })
const rows = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => row(from + index))
const seqs = (found: readonly OutboxBatch[]) => found.flatMap(eventsOf).map(({ seq }) => seq)
/** Several events in one batch. */
const joined = (from: number, to: number): OutboxBatch => ({
  ...row(from),
  ...joinByTopic(rows(from, to))[0]!,
  ...{ first: from, last: to },
})

/** A table that holds what was committed and not yet deleted. */
function table() {
  const held: OutboxBatch[] = []
  const read = (_lane: number, after: number, limit: number, maxBytes: number) => {
    let [events, bytes] = [0, 0]
    const page = held.filter(({ first, count, records }) => {
      if (first <= after) return false
      events += count
      bytes += records.length
      return events - count < limit && bytes - records.length < maxBytes
    })
    return Promise.resolve(page)
  }
  return { held, read }
}

test('what the table holds comes before what is offered', async () => {
  const { held, read } = table()
  held.push(...rows(5, 7))
  const feed = new LaneFeed(0, () => {}, read)
  held.push(row(8))
  feed.offer([row(8)])
  expect(seqs(await feed.peek(10, 1e6))).toEqual([5, 6, 7, 8])
  feed.acknowledge(8)
  feed.offer([row(9)])
  expect(seqs(await feed.peek(10, 1e6))).toEqual([9])
})

test('a gap in what is offered is filled from the table', async () => {
  const { held, read } = table()
  const feed = new LaneFeed(0, () => {}, read)
  expect(await feed.peek(10, 1e6)).toEqual([])
  held.push(...rows(1, 3)) // 2 was committed by another process
  feed.offer([row(1)])
  feed.offer([row(3)])
  const found: number[] = []
  while (!feed.idle) {
    const next = await feed.peek(10, 1e6)
    found.push(...seqs(next))
    feed.acknowledge(next.at(-1)?.last ?? 0)
  }
  expect(found).toEqual([1, 2, 3])
})

test('bytes bound a request, but one row always goes', async () => {
  const { held, read } = table()
  held.push(...rows(1, 5))
  const feed = new LaneFeed(0, () => {}, read)
  const [{ bytes }] = held as [OutboxBatch]
  expect(seqs(await feed.peek(10, 2 * bytes))).toEqual([1, 2])
  expect(seqs(await feed.peek(10, 1))).toEqual([1])
})

test('a batch beyond the limits leaves in pieces, which together remove its row', async () => {
  const { held, read } = table()
  held.push(joined(1, 5), joined(6, 7))
  const feed = new LaneFeed(0, () => {}, read)
  const published: number[] = []
  const removed: [number, number][] = []
  for (let limit = 2; !feed.idle; limit = 1) {
    const next = await feed.peek(limit, 1e6)
    const [first, last] = [next[0]!, next.at(-1)!]
    removed.push([first.rowFirst ?? first.first, last.last])
    published.push(...seqs(next))
    feed.acknowledge(last.last)
  }
  expect(published).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(removed).toEqual([1, 1, 1, 1, 6, 6].map((first, index) => [first, [2, 3, 4, 5, 6, 7][index]!]))
  expect(feed.size).toEqual({ events: 0, bytes: 0 })
})

test('a closed feed has nothing', async () => {
  const { held, read } = table()
  held.push(row(1))
  const feed = new LaneFeed(0, () => {}, read)
  feed.close()
  expect(await feed.peek(10, 1e6)).toEqual([])
  expect(feed.idle).toBe(true)
})

test('whatever the order of commits, offers, reads and failures: every row once, in order', async () => {
  const step = fc.constantFrom('commit', 'commit unseen', 'publish', 'poke')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(3), async (steps, failures) => {
      const { held, read } = table()
      let failing = failures
      const feed = new LaneFeed(
        0,
        () => {},
        (...args) => (failing-- > 0 ? Promise.reject(new Error('database away')) : read(...args)),
      )
      const published: number[] = []
      let seq = 0
      const publish = async () => {
        const next = await feed.peek(3, 1e6).catch(() => [])
        published.push(...seqs(next))
        const last = next.at(-1)?.last
        if (last === undefined) return
        feed.acknowledge(last)
        held.splice(0, held.findIndex((kept) => kept.last === last) + 1)
      }
      for (const what of steps) {
        if (what === 'publish') await publish()
        else if (what === 'poke') feed.poke()
        else {
          held.push(row(++seq))
          if (what === 'commit') feed.offer([row(seq)])
        }
      }
      feed.poke()
      while (!feed.idle) await publish()
      expect(published).toEqual(Array.from({ length: seq }, (_, index) => index + 1))
    }),
  )
})

/** A feed for each table, as in a process that owns as many lanes. */
const feedsOf = (tables: readonly ReturnType<typeof table>[]): LaneFeed[] =>
  tables.map(
    ({ read }, lane) =>
      new LaneFeed(
        lane,
        () => {},
        read,
        () => limitPerLane(tables.length),
      ),
  )

test.each([1, 3, 100])(
  '%i lanes keep 20,000 events in memory at most while nothing is published, and lose none',
  async (lanes) => {
    const tables = Array.from({ length: lanes }, table)
    const feeds = feedsOf(tables)
    let next = 1
    for (let round = 0; round < 30; round++) {
      for (const [lane, feed] of feeds.entries()) {
        const written = rows(next, next + 199)
        tables[lane]?.held.push(...written)
        feed.offer(written)
        await feed.peek(500, 1e6)
      }
      next += 200
    }
    expect(feeds.reduce((sum, feed) => sum + feed.size.events, 0)).toBeLessThanOrEqual(20_000)
    for (const feed of feeds) {
      let published = 0
      for (let page = await feed.peek(500, 1e6); page.length > 0; page = await feed.peek(500, 1e6)) {
        expect(page[0]?.first).toBe(published + 1)
        published = page.at(-1)?.last ?? 0
        feed.acknowledge(published)
      }
      expect(published).toBe(6_000)
    }
  },
)

test.each([1, 100])(
  'batches of 1 MB in %i lanes keep 64 MB and one of each lane in memory at most, and none is lost',
  async (lanes) => {
    const size = 1_000_000
    const count = 80
    const records = Buffer.alloc(size) // One for all: only the numbers are under test
    const large = (from: number, to: number) => rows(from, to).map((each) => ({ ...each, records, bytes: size }))
    const tables = Array.from({ length: lanes }, table)
    const feeds = feedsOf(tables)
    for (let next = 1; next <= count; next += 4) {
      for (const [lane, feed] of feeds.entries()) {
        const written = large(next, next + 3)
        tables[lane]?.held.push(...written)
        feed.offer(written)
        await feed.peek(500, 1)
      }
    }
    const kept = feeds.reduce((sum, feed) => sum + feed.size.bytes, 0)
    expect(kept).toBeLessThan(64 * 2 ** 20 + lanes * (size + 1_000))
    for (const feed of feeds) {
      const published: number[] = []
      while (!feed.idle) {
        const page = await feed.peek(500, 700_000)
        published.push(...page.map(({ first }) => first))
        feed.acknowledge(page.at(-1)?.last ?? 0)
      }
      expect(published).toEqual(Array.from({ length: count }, (_, index) => index + 1))
      expect(feed.size).toEqual({ events: 0, bytes: 0 })
    }
  },
)
