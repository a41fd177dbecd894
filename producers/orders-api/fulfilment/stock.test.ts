import { expect, test } from '@jest/globals'
import supertest from 'supertest'
import { silentLogger } from '../../../infra/logger.ts'
import { createApp } from '../http/app.ts'
import { createStockReader, shared, stockOperations } from './stock.ts'

const levels = [
  { sku: 'a', onHand: '9007199254740993' },
  { sku: 'b', onHand: '0' },
]

test('1,000 shops that ask at once cost one reading, and the next half second none', async () => {
  let [readings, now] = [0, 0]
  const read = shared(
    async () => (readings++, levels),
    () => now,
  )
  const all = await Promise.all(Array.from({ length: 1_000 }, () => read('', 100)))
  expect(all.every((each) => each === levels)).toBe(true)
  now = 499
  await read('', 100)
  expect(readings).toBe(1)
  await read('a', 100)
  expect(readings).toBe(2)
  now = 500
  await read('', 100)
  expect(readings).toBe(3)
})

test('a failed reading is not kept', async () => {
  let broken = true
  const read = shared(async () => {
    if (broken) throw new Error('away')
    return levels
  })
  await expect(read('', 1)).rejects.toThrow('away')
  broken = false
  expect(await read('', 1)).toBe(levels)
})

test('pages continue after the last SKU; int64 travels as text', async () => {
  const pages = stockOperations(async (after, limit) => levels.filter(({ sku }) => sku > after).slice(0, limit))
  const http = supertest(createApp(pages, { log: silentLogger }))
  expect((await http.get('/stock?limit=1')).body).toEqual({ items: [levels[0]], next: 'a' })
  expect((await http.get('/stock?limit=1&after=a')).body).toEqual({ items: [levels[1]], next: null })
})

test('without inventory nothing is on hand', async () => {
  const query = async () => {
    throw Object.assign(new Error('no such table'), { code: '42P01' })
  }
  expect(await createStockReader({ query } as never, 'x_')('', 10)).toEqual([])
})
