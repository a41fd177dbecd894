import { expect, test } from '@jest/globals'
import { waitUntilQuiet } from './wait-until-quiet.ts'

const counting = (figures: readonly number[]) => {
  const left = [...figures]
  return {
    look: async () => left.shift() ?? figures.at(-1)!,
    isDone: (n: number) => n === 0,
    remaining: (n: number) => n,
  }
}

test('it waits until nothing is left, and reports each look', async () => {
  const seen: number[] = []
  const waited = waitUntilQuiet({ ...counting([3, 2, 2, 0]), onProgress: (n) => seen.push(n), everyMs: 0 })
  expect(await waited).toEqual({ state: 0, done: true })
  expect(seen).toEqual([3, 2, 2, 0])
})

test('it gives up when nothing moves for as long as its patience, asking before', async () => {
  let asked = 0
  const waited = waitUntilQuiet({
    ...counting([3, 2]),
    everyMs: 0,
    quietMs: 0,
    patienceMs: 5,
    onQuiet: async () => void asked++,
  })
  expect(await waited).toEqual({ state: 2, done: false })
  expect(asked).toBeGreaterThan(0)
})

test('it gives up when it is told that nothing will move', async () => {
  const waited = waitUntilQuiet({ ...counting([3]), everyMs: 0, quietMs: 0, onQuiet: async () => true })
  expect(await waited).toEqual({ state: 3, done: false })
})

test('a look that finds more than before is no progress', async () => {
  const figures = [2, 3, 2, 3]
  let at = 0
  const look = async () => figures[at++ % figures.length]!
  const waited = waitUntilQuiet({ look, isDone: () => false, remaining: (n) => n, everyMs: 0, patienceMs: 5 })
  expect((await waited).done).toBe(false)
})

test('the signal ends it with its reason', async () => {
  const stop = new AbortController()
  const waited = waitUntilQuiet({ ...counting([1]), everyMs: 60_000, signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(waited).rejects.toThrow('enough')
})
