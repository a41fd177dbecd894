import { describe, expect, test } from '@jest/globals'
import { Pacing } from './pacing.ts'

function paced(options: { rate?: number; max?: number }) {
  const stop = new AbortController()
  const pacing = new Pacing(options, () => stop.abort(new Error('enough')))
  return { pacing, take: (events: number) => pacing.pace(events, stop.signal) }
}

describe('steps', () => {
  test('are what the mode likes, less under a rate, never nothing', () => {
    expect(paced({}).pacing.atOnce(100)).toBe(100)
    expect(paced({ rate: 200 }).pacing.atOnce(100)).toBe(20)
    expect(paced({ rate: 0.5 }).pacing.atOnce(100)).toBe(1)
  })

  test('end exactly where it is enough; records nobody chose go on', async () => {
    const { pacing, take } = paced({ max: 7 })
    await take(pacing.atOnce(5))
    expect(pacing.atOnce(5)).toBe(2)
    await take(2)
    await take(0)
    await expect(take(pacing.atOnce(5))).rejects.toThrow('enough')
  })
})

test('a rate is held from step to step, also after a step that took long', async () => {
  const { take } = paced({ rate: 100 })
  const startedAt = performance.now()
  for (let step = 0; step < 4; step++) await take(5)
  expect(performance.now() - startedAt).toBeGreaterThan(145) // Three waits of 50 ms
})
