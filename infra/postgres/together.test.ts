import { expect, test } from '@jest/globals'
import { together } from './together.ts'

test('gives every result in the order asked for', async () => {
  expect(await together(Promise.resolve(1), 'two', false)).toEqual([1, 'two', false])
})

test('waits for the rest when one fails, and throws what failed first in time', async () => {
  const order: string[] = []
  const failing = async (name: string, turns: number) => {
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    order.push(name)
    throw new Error(name)
  }
  await expect(together(failing('late', 20), failing('early', 2), failing('middle', 9))).rejects.toThrow('early')
  expect(order).toEqual(['early', 'middle', 'late'])
})

test('throws the cause, also when its consequences are heard of before', async () => {
  const aborted = Object.assign(new Error('current transaction is aborted'), { code: '25P02' })
  const cause = Promise.reject(new Error('too long for an index'))
  const nested = together(together(together(cause)))
  await expect(together(nested, Promise.reject(aborted))).rejects.toThrow('too long')
  await expect(together(Promise.reject(aborted))).rejects.toBe(aborted)
})
