import { setImmediate as soon } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { Turns } from './turns.ts'

/** Turns, and what has begun and ended so far. */
function watched() {
  const turns = new Turns()
  const seen: string[] = []
  const ends = new Map<string, PromiseWithResolvers<void>>()
  const work = (name: string) => async () => {
    seen.push(name)
    const end = Promise.withResolvers<void>()
    ends.set(name, end)
    await end.promise
    return name
  }
  return {
    turns,
    work,
    end: async (name: string) => {
      ends.get(name)?.resolve()
      await soon()
    },
    /** What has begun since the last look. */
    async begun() {
      await soon()
      return seen.splice(0)
    },
  }
}

test('work of different sources runs side by side, that of one source in order', async () => {
  const { turns, work, end, begun } = watched()
  const orders = turns.beside('orders', work('orders 1'))
  void turns.beside('orders', work('orders 2'))
  expect(await begun()).toEqual(['orders 1'])
  void turns.beside('answer', work('answer'))
  expect(await begun()).toEqual(['answer'])
  await end('orders 1')
  expect(await begun()).toEqual(['orders 2'])
  await expect(orders).resolves.toBe('orders 1')
})

test('work alone waits for all before it, and all after it waits', async () => {
  const { turns, work, end, begun } = watched()
  for (const source of ['orders', 'answer']) void turns.beside(source, work(source))
  void turns.alone(work('timers'))
  void turns.beside('orders', work('later'))
  void turns.alone(work('last'))
  expect(await begun()).toEqual(['orders', 'answer'])
  await end('orders')
  expect(await begun()).toEqual([])
  await end('answer')
  expect(await begun()).toEqual(['timers'])
  await end('timers')
  expect(await begun()).toEqual(['later'])
  await end('later')
  expect(await begun()).toEqual(['last'])
})

test('what is waited for keeps nothing of the work that has ended', async () => {
  const turns = new Turns()
  for (let times = 0; times < 3; times++) await turns.beside('orders', async () => 'result')
  const held = await turns.alone(async (...results: unknown[]) => results)
  expect(held).toEqual([undefined])
})

test('work that fails holds up nothing', async () => {
  const turns = new Turns()
  const fail = () => Promise.reject(new Error('no'))
  const failed = [turns.alone(fail), turns.beside('orders', fail), turns.beside('orders', fail)]
  await expect(turns.beside('orders', async () => 'done')).resolves.toBe('done')
  await expect(turns.alone(async () => 'done')).resolves.toBe('done')
  expect((await Promise.allSettled(failed)).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
})
