import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { LaneFeed, limitPerLane } from './lane-feed.ts'
import type { OutboxRow } from './outbox-table.ts'

const row = (seq: number): OutboxRow => ({
  lane: 0,
  seq,
  eventId: '',
  topic: 't',
  key: 'k',
  headers: '{}',
  value: Buffer.alloc(100),
})
const rows = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => row(from + index))
const seqs = (found: readonly OutboxRow[]) => found.map(({ seq }) => seq)

/** A table that holds what was committed and not yet deleted. */
function table() {
  const held: OutboxRow[] = []
  const read = (_lane: number, after: number, limit: number, maxBytes: number) => {
    let before = 0
    const page = held.filter(({ seq }) => seq > after).slice(0, limit)
    return Promise.resolve(page.filter(({ value }) => (before += value.length) - value.length < maxBytes))
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
    feed.acknowledge(next.at(-1)?.seq ?? 0)
  }
  expect(found).toEqual([1, 2, 3])
})

test('bytes bound a request, but one row always goes', async () => {
  const { held, read } = table()
  held.push(...rows(1, 5))
  const feed = new LaneFeed(0, () => {}, read)
  expect(seqs(await feed.peek(10, 350))).toEqual([1, 2])
  expect(seqs(await feed.peek(10, 1))).toEqual([1])
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
        const last = next.at(-1)?.seq
        if (last === undefined) return
        feed.acknowledge(last)
        held.splice(0, held.findIndex((kept) => kept.seq === last) + 1)
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
      expect(published).toEqual(rows(1, seq).map((kept) => kept.seq))
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
  '%i lanes keep 20,000 rows in memory at most while nothing is published, and lose none',
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
    expect(feeds.reduce((sum, feed) => sum + feed.size.rows, 0)).toBeLessThanOrEqual(20_000)
    for (const feed of feeds) {
      let published = 0
      for (let page = await feed.peek(500, 1e6); page.length > 0; page = await feed.peek(500, 1e6)) {
        expect(page[0]?.seq).toBe(published + 1)
        published = page.at(-1)?.seq ?? 0
        feed.acknowledge(published)
      }
      expect(published).toBe(6_000)
    }
  },
)

test.each([1, 100])(
  'rows of 1 MB in %i lanes keep 64 MB and a row of each lane in memory at most, and none is lost',
  async (lanes) => {
    const size = 1_000_000
    const count = 80
    const value = Buffer.alloc(size) // One for all: only the numbers are under test
    const large = (from: number, to: number) => rows(from, to).map((each) => ({ ...each, value }))
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
        published.push(...seqs(page))
        feed.acknowledge(page.at(-1)?.seq ?? 0)
      }
      expect(published).toEqual(rows(1, count).map(({ seq }) => seq))
      expect(feed.size).toEqual({ rows: 0, bytes: 0 })
    }
  },
)
