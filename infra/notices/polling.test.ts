import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { Polling } from './polling.ts'

beforeEach(() => void jest.useFakeTimers({ now: 0 }))
afterEach(() => void jest.useRealTimers())

/** A polling whose looks find what is due at `dueAt`. */
function poll(dueAt = Number.POSITIVE_INFINITY) {
  const looks: number[] = []
  const told = new Set<() => void>()
  const stopping = new AbortController()
  const notices = {
    heard: true,
    subscribe: (call: () => void) => {
      told.add(call)
      return () => told.delete(call)
    },
  }
  const polling = new Polling({ leastMs: 100, soonMs: 500, seldomMs: 5_000, notices })
  const look = async () => {
    looks.push(performance.now())
    return Number.isFinite(dueAt) ? dueAt - performance.now() : undefined
  }
  const running = polling.run(look, stopping.signal)
  const tell = () => told.forEach((call) => call())
  return { looks, polling, notices, tell, running, stop: () => stopping.abort() }
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms)

test('looks seldom while nothing is told and nothing is due', async () => {
  const { looks } = poll()
  await pass(14_000)
  expect(looks).toEqual([0, 5_000, 10_000])
})

test('looks at once after a notice, but not more often than it may', async () => {
  const { looks, tell } = poll()
  await pass(1_000)
  tell()
  await pass(50)
  for (let count = 0; count < 10; count++) tell()
  await pass(1_000)
  expect(looks).toEqual([0, 1_000, 1_100])
})

test('looks soon after work, and when something is due', async () => {
  const { looks, polling } = poll(2_300)
  await pass(100)
  polling.stir()
  await pass(2_000)
  expect(looks).toEqual([0, 500])
  await pass(700) // What is due stays due: nobody takes it
  expect(looks).toEqual([0, 500, 2_300, 2_800])
})

test('looks often while no notices arrive, from the moment at which they end', async () => {
  const { looks, notices, tell } = poll()
  await pass(1_000)
  notices.heard = false
  tell()
  await pass(1_100)
  notices.heard = true
  await pass(6_000)
  expect(looks).toEqual([0, 1_000, 1_500, 2_000, 7_000])
})

test('ends at once', async () => {
  const { looks, stop, running } = poll()
  await pass(0)
  stop()
  await running
  expect(looks).toEqual([0])
})
