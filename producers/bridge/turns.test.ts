import { expect, test } from '@jest/globals'
import { Turns } from './turns.ts'

test('works of a key run one after another, those of another key meanwhile, and a failure holds up nothing', async () => {
  const turns = new Turns()
  const log: string[] = []
  const first = Promise.withResolvers<void>()
  const taken = [
    turns.take('a', async () => {
      await first.promise
      log.push('a1')
      throw new Error('a1 failed')
    }),
    turns.take('a', async () => log.push('a2')),
    turns.take('b', async () => log.push('b1')),
  ]
  await taken[2]
  expect(log).toEqual(['b1'])
  first.resolve()
  await expect(taken[0]).rejects.toThrow('a1 failed')
  await taken[1]
  expect(log).toEqual(['b1', 'a1', 'a2'])
})
