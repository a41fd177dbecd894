import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Tables } from '../../testing/open-tables.ts'
import { openTables } from '../../testing/open-tables.ts'
import { listCauses } from './parked-figures.ts'
import { listParked } from './parked-list.ts'

let tables: Tables
beforeAll(async () => {
  tables = await openTables('notifications')
  await tables.pool.query(
    `insert into parked (lane, key, source, type, reason, error)
     select n % 3, 'key-' || n % 100, case n % 4 when 0 then 'answer' else 'record' end, nullif('OrderPlaced', case n % 5 when 0 then 'OrderPlaced' end),
       'HANDLER_FAILED', 'order ' || gen_random_uuid() || ' failed ' || n || ' times'
     from generate_series(1, 1000) n`,
  )
})
afterAll(async () => tables[Symbol.asyncDispose]())

test('events of one cause are alike up to numbers and ids, and are listed by it', async () => {
  const causes = await listCauses(tables.pool)
  expect(Object.fromEntries(causes.map(({ source, type, events }) => [`${source} ${type}`, events]))).toEqual({
    'answer null': 50,
    'answer OrderPlaced': 200,
    'record null': 150,
    'record OrderPlaced': 600,
  })
  expect(new Set(causes.map(({ signature }) => signature))).toEqual(new Set(['order ‹id› failed ‹n› times']))
  for (const { cause, events } of causes)
    expect(await listParked(tables.pool, { causes: [cause] }, { limit: 1_000 })).toHaveLength(events)
})

test('a page knows the head of each key and what waits behind, though the page shows neither', async () => {
  const page = await listParked(tables.pool, { upTo: 400 }, { limit: 2, newestFirst: true })
  // Key 0 of lane 1: 100, 400, 700, 1000; key 99 of lane 0: 99, 399, 699, 999
  expect(page.map(({ id, head, behind }) => [id, head, behind])).toEqual([
    [400, 100, 2],
    [399, 99, 2],
  ])
  const oldest = await listParked(tables.pool, {}, { limit: 1 })
  expect(oldest.map(({ id, head, behind }) => [id, head, behind])).toEqual([[1, 1, 3]])
})
