import { describe, expect, test } from '@jest/globals'
import { runSeeds } from './run-seeds.ts'
import type { Outcome } from './simulate.ts'

const seeds = 300
/** A thread on a busy machine takes a tenth of a second for a world, on an idle one a hundredth. */
const patienceMs = 300_000

describe('the runtime, simulated', () => {
  test(
    `keeps its promises in ${seeds} worlds`,
    async () => {
      const ended: Outcome[] = []
      const failed = await runSeeds({ first: 1, last: seeds, workers: 2, ended: (outcome) => ended.push(outcome) })
      expect(failed).toBeUndefined()
      expect(ended).toHaveLength(seeds)
      // Worlds in which nothing happens would prove nothing
      expect(ended.reduce((sum, { commits }) => sum + commits, 0)).toBeGreaterThan(seeds * 30)
      expect(ended.filter(({ repeats }) => repeats > 0).length).toBeGreaterThan(seeds / 10)
    },
    patienceMs,
  )

  test('goes the same way whenever a seed is run again, and another way with another seed', async () => {
    const outcomes: Outcome[] = []
    const run = (first: number, last: number, workers: number) =>
      runSeeds({ first, last, workers, ended: (outcome) => outcomes.push(outcome) })
    await run(7, 7, 1)
    await run(5, 8, 1) // After other seeds, in another thread
    const [alone, ...others] = outcomes
    expect(others.find(({ seed }) => seed === 7)).toEqual(alone)
    expect(new Set(others.map(({ fingerprint }) => fingerprint)).size).toBe(4)
  })
})
