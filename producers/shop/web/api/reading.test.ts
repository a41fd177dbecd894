import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { Source } from './reading.ts'

test('what was left halfway is read to its end by whoever looks next', async () => {
  const ends: ((data: string) => void)[] = []
  const source = new Source<string>((_signal, show) => {
    show('a part')
    return new Promise((resolve) => ends.push(resolve))
  })
  source.watch(() => {})()
  expect(source.get().data).toBe('a part')

  const seen: unknown[] = []
  const leave = source.watch(() => seen.push(source.get().data))
  ends[0]?.('too late')
  await setImmediate()
  await source.refresh() // One is under way already
  expect(ends).toHaveLength(2)
  ends[1]?.('all')
  await setImmediate()
  expect(seen).toEqual(['a part', 'all'])

  leave()
  source.watch(() => {})()
  expect(ends).toHaveLength(2)
})
