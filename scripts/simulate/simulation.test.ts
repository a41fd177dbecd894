import { describe, expect, test } from '@jest/globals'
import { runSeeds } from './run-seeds.ts'
import type { Outcome } from './simulate.ts'

const seeds = 300
/** One world takes a thread 0.01 s on an idle machine and 0.1 s on a busy one. */
const patienceMs = 300_000

describe('the runtime, simulated', () => {
  test(
    `violates no invariant in ${seeds} worlds`,
    async () => {
      const ended: Outcome[] = []
      const failed = await runSeeds({ first: 1, last: seeds, workers: 2, ended: (outcome) => ended.push(outcome) })
      expect(failed).toBeUndefined()
      expect(ended).toHaveLength(seeds)
      // Worlds without faults or commits would prove nothing
      expect(ended.reduce((sum, { commits }) => sum + commits, 0)).toBeGreaterThan(seeds * 30)
      expect(ended.filter(({ repeats }) => repeats > 0).length).toBeGreaterThan(seeds / 10)
      for (const what of Object.keys(ended[0]?.happened ?? {}) as (keyof Outcome['happened'])[])
        expect({ what, worlds: ended.filter(({ happened }) => happened[what] > 0).length > seeds / 30 }).toEqual({
          what,
          worlds: true,
        })
    },
    patienceMs,
  )

  test('repeats a seed exactly, and runs another seed differently', async () => {
    const outcomes: Outcome[] = []
    const run = (first: number, last: number, workers: number) =>
      runSeeds({ first, last, workers, ended: (outcome) => outcomes.push(outcome) })
    await run(7, 7, 1)
    await run(5, 8, 1) // After other seeds and in another thread
    const [alone, ...others] = outcomes
    expect(others.find(({ seed }) => seed === 7)).toEqual(alone)
    expect(new Set(others.map(({ fingerprint }) => fingerprint)).size).toBe(4)
  })
})
