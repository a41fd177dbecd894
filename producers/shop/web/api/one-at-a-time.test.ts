import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { oneAtATime } from './one-at-a-time.ts'

test('what is asked for while it runs runs once more, after that', async () => {
  const ends: (() => void)[] = []
  const ask = oneAtATime(() => new Promise<void>((resolve) => ends.push(resolve)))
  for (let times = 0; times < 10; times++) ask()
  expect(ends).toHaveLength(1)
  ends[0]?.()
  await setImmediate()
  expect(ends).toHaveLength(2)
  ends[1]?.()
  await setImmediate()
  expect(ends).toHaveLength(2)
  ask()
  expect(ends).toHaveLength(3)
})
