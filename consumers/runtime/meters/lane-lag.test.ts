import { expect, test } from '@jest/globals'
import type { Batch } from 'kafkajs'
import { LaneLag } from './lane-lag.ts'

let now = 0

/** Records `[from, to)`, one a second from `from` seconds on. */
const batch = (from: number, to: number, end: number): Batch =>
  ({
    topic: 'x_orders',
    partition: 3,
    highWatermark: String(end),
    messages: Array.from({ length: to - from }, (_, index) => ({
      offset: String(from + index),
      timestamp: String((from + index) * 1_000),
    })),
  }) as unknown as Batch

const lagAt = (lag: LaneLag, position: number) => lag.of(3, [['orders', position]])
const open = (at: number) => {
  now = at
  return new LaneLag('x_', () => now)
}

test('without an end nothing is known', () => {
  expect(lagAt(open(0), 5)).toBeUndefined()
})

test('a lane that has processed everything is behind by nothing', () => {
  const lag = open(20_000)
  lag.fetched(batch(0, 10, 10), 0)
  expect(lagAt(lag, 10)).toEqual({ events: 0, ms: 0 })
})

test('the first record of the fetched batch dates the oldest unread one', () => {
  const lag = open(20_000)
  lag.fetched(batch(5, 10, 30), 5)
  expect(lagAt(lag, 5)).toEqual({ events: 25, ms: 15_000 })
})

test('past the batch the oldest unread record is younger than its last', () => {
  const lag = open(20_000)
  lag.fetched(batch(5, 10, 30), 5)
  expect(lagAt(lag, 10)).toEqual({ events: 20, ms: 11_000 })
})

test('what arrives after a quiet time has waited since the last look at most', () => {
  const lag = open(20_000)
  lag.fetched(batch(0, 10, 10), 0)
  now = 100_000
  lag.looked(new Map([['orders/3', { end: 10 }]]), () => 10)
  now = 110_000
  lag.looked(new Map([['orders/3', { end: 12 }]]), () => 10)
  now = 115_000
  expect(lagAt(lag, 10)).toEqual({ events: 2, ms: 15_000 })
})

test('topics add up, and the oldest record of all counts', () => {
  const lag = open(50_000)
  lag.fetched(batch(0, 10, 20), 0)
  lag.looked(new Map([['payments/3', { end: 7 }]]), () => 0)
  expect(
    lag.of(3, [
      ['orders', 10],
      ['payments', 4],
    ]),
  ).toEqual({ events: 13, ms: 50_000 })
})
