import { randomUUID } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { newEventId } from '../../../schemas/event-id.ts'
import { hashedId, inboxId, takeIds } from './inbox.ts'
import { maintainInbox, rememberedWeeks, weekMs } from './inbox-partitions.ts'
import { countTable } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { TestBench } from '../testing/test-bench.ts'

const place = hashedId('orders/3/17')

const idOf = (id?: string, source?: string, placeId = place): string =>
  inboxId(
    id,
    () => source,
    () => placeId,
  )

describe('the id the inbox knows an event by', () => {
  test('an id that carries its time stays as it is, however it is written', () => {
    const id = newEventId()
    expect(idOf(id.toUpperCase(), '/shop')).toBe(id)
  })

  test('any other id lies behind all times and is the same every time', () => {
    for (const id of [randomUUID(), 'INV/2026/0815', '', undefined, 'x'.repeat(500)]) {
      expect(idOf(id)).toMatch(/^ffffffff-ffff-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(idOf(id)).toBe(idOf(id))
    }
  })

  test('such an id is one only within its source, and as it is written', () => {
    const ids = [
      { id: '1001', source: '/shop-a' },
      { id: '1001', source: '/shop-b' },
      { id: 'x7Ab', source: '/shop-a' },
      { id: 'x7aB', source: '/shop-a' },
    ].map(({ id, source }) => idOf(id, source))
    expect(new Set(ids).size).toBe(4)
  })

  test('an event without an id is its place', () => {
    expect(idOf(undefined, '/shop')).not.toBe(idOf(undefined, '/shop', hashedId('orders/3/18')))
  })
})

describe('the inbox as weeks go by', () => {
  const partitionsOf = async ({ pool }: TestBench) => {
    const { rows } = await pool.query<{ name: string }>(
      `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'inbox'::regclass`,
    )
    return rows.map(({ name }) => name)
  }
  const known = async ({ pool }: TestBench, ids: readonly string[]) => {
    const fresh = await takeIds(pool, ids)
    return ids.map((id) => !fresh.has(id))
  }

  test('what is remembered stays known while partitions come and go, then leaves', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const now = Date.now()
    const timed = newEventId(now)
    const ahead = newEventId(now + 6 * weekMs) // A clock that is wrong
    const untimed = idOf('foreign')
    const ids = [timed, ahead, untimed]
    expect(await known(bench, ids)).toEqual([false, false, false])
    const before = await partitionsOf(bench)

    await maintainInbox(bench.pool, now + rememberedWeeks * weekMs)
    expect(await known(bench, ids)).toEqual([true, true, true])
    expect(await partitionsOf(bench)).toHaveLength(before.length)

    await bench.pool.query(`update inbox set taken_at = taken_at - interval '1 month' where event_id <> $1`, [ahead])
    await maintainInbox(bench.pool, now + (rememberedWeeks + 1) * weekMs)
    expect(await known(bench, ids)).toEqual([false, true, false])
  })

  test('an id that came late is remembered as long as any other, though its week has left', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const now = Date.now()
    const late = newEventId(now)
    await bench.pool.query('insert into inbox values ($1, to_timestamp($2 / 1000.0))', [late, now + 3 * weekMs])
    await maintainInbox(bench.pool, now + 5 * weekMs)
    expect(await known(bench, [late])).toEqual([true])
  })

  test('after months without upkeep it moves on as ever', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const now = Date.now()
    const ids = [newEventId(now + 6 * weekMs), newEventId(now + 11 * weekMs), newEventId(now + 30 * weekMs)]
    await takeIds(bench.pool, ids)
    await bench.pool.query('update inbox set taken_at = to_timestamp($1 / 1000.0)', [now + 11 * weekMs])
    await maintainInbox(bench.pool, now + 11 * weekMs)
    expect(await known(bench, ids)).toEqual([true, true, true])
  })

  test('several processes maintain it at once', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const later = Date.now() + 2 * weekMs
    await Promise.all([1, 2, 3, 4].map(() => maintainInbox(bench.pool, later)))
    expect(new Set(await partitionsOf(bench)).size).toBe(rememberedWeeks + 1 + 4 + 2)
  })
})
