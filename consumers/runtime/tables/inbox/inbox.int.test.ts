import { randomUUID } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { newEventId } from '../../../../schemas/event-id.ts'
import { forgetIds, hashedId, inboxId, readTakenTimes, takeIds } from './inbox.ts'
import { maintainInbox, maintainInboxAt } from './partitions.ts'
import { rememberedWeeks, weekMs } from './weeks.ts'
import { countTable } from '../../testing/tally-consumer.ts'
import { openTestBench } from '../../testing/test-bench.ts'
import type { TestBench } from '../../testing/test-bench.ts'

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
  const takeAt = ({ pool }: TestBench, ids: readonly string[], time: number) =>
    pool.query('insert into inbox select unnest($1::uuid[]), to_timestamp($2 / 1000.0)', [ids, time])
  const leftovers = async ({ pool }: TestBench) => {
    const { rows } = await pool.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = current_schema::regnamespace and relkind in ('r', 'p') and relname ~ '_(gone|next|removed)$'
       union all select tgname from pg_trigger where tgname = 'inbox_mirror' and tgrelid in
         (select inhrelid from pg_inherits where inhparent = 'inbox'::regclass)`,
    )
    return rows.map(({ name }) => name)
  }
  const foreignTables = async ({ pool }: TestBench, owner: string) => {
    const { rows } = await pool.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = current_schema::regnamespace and relowner <> $1::regrole and relname ~ '_(next|removed)$'
       union all select proname from pg_proc where pronamespace = current_schema::regnamespace and proowner <> $1::regrole and proname = 'inbox_mirror'`,
      [`"${owner}"`],
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

    await maintainInboxAt(bench.pool, now + rememberedWeeks * weekMs)
    expect(await known(bench, ids)).toEqual([true, true, true])
    expect(await partitionsOf(bench)).toHaveLength(before.length)

    await bench.pool.query(`update inbox set taken_at = taken_at - interval '1 month' where event_id <> $1`, [ahead])
    await maintainInboxAt(bench.pool, now + (rememberedWeeks + 1) * weekMs)
    expect(await known(bench, ids)).toEqual([false, true, false])
  })

  test('an id that came late is remembered as long as any other, though its week has left', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const now = Date.now()
    const late = newEventId(now)
    await bench.pool.query('insert into inbox values ($1, to_timestamp($2 / 1000.0))', [late, now + 3 * weekMs])
    await maintainInboxAt(bench.pool, now + 5 * weekMs)
    expect(await known(bench, [late])).toEqual([true])
  })

  test('after months without upkeep it moves on as ever', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const now = Date.now()
    const ids = [newEventId(now + 6 * weekMs), newEventId(now + 11 * weekMs), newEventId(now + 30 * weekMs)]
    await takeIds(bench.pool, ids)
    await bench.pool.query('update inbox set taken_at = to_timestamp($1 / 1000.0)', [now + 11 * weekMs])
    await maintainInboxAt(bench.pool, now + 11 * weekMs)
    expect(await known(bench, ids)).toEqual([true, true, true])
  })

  test('a host whose clock is five weeks ahead forgets nothing', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const before = await partitionsOf(bench)
    const clock = Date.now
    try {
      Date.now = () => clock() + 5 * weekMs
      await maintainInbox(bench.pool)
    } finally {
      Date.now = clock
    }
    expect(await partitionsOf(bench)).toEqual(before)
  })

  test('several processes maintain it at once', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const now = Date.now()
    const later = now + 5 * weekMs
    const late = Array.from({ length: 500 }, () => newEventId(now))
    await takeAt(bench, late, now + 3 * weekMs)
    const results = await Promise.all([1, 2, 3].map(() => maintainInboxAt(bench.pool, later)))
    expect(results.filter(({ busy }) => !busy).length).toBeGreaterThan(0)
    expect(new Set(await partitionsOf(bench)).size).toBe(rememberedWeeks + 1 + 4 + 3)
    expect(await known(bench, late)).toEqual(late.map(() => true))
  })

  test('what is added and removed while it moves on is neither lost nor brought back', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const { pool } = bench
    const now = Date.now()
    const [kept, removed, added, between] = [1, 2, 3, 4].map(() => newEventId(now)) as [string, string, string, string]
    const untimed = idOf('foreign')
    await takeAt(bench, [kept, removed], now + 4 * weekMs)
    const copied = async () => {
      await takeAt(bench, [added, between, untimed], now + 4 * weekMs)
      await forgetIds(pool, [removed, between])
    }
    // The week of these ids leaves; the second time around, tables of a roll that died are in the way
    await expect(
      maintainInboxAt(pool, now + 5 * weekMs, { copied: () => Promise.reject(new Error('killed')) }),
    ).rejects.toThrow('killed')
    const { lockedMs } = await maintainInboxAt(pool, now + 4 * weekMs + 1, { copied })
    expect(lockedMs).toBeDefined()
    expect(await known(bench, [kept, removed, added, between, untimed])).toEqual([true, false, true, false, true])
    expect(await leftovers(bench)).toEqual([])
  })

  test('what is being removed while it is copied is not brought back, unless it was taken again', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const { pool } = bench
    const now = Date.now()
    const ids = [1, 2, 3].map(() => newEventId(now))
    const [, removed, again] = ids as [string, string, string]
    const later = now + 4 * weekMs + 60_000
    await takeAt(bench, ids, now + 4 * weekMs)
    const batch = await pool.connect()
    try {
      await maintainInboxAt(pool, now + 5 * weekMs, {
        mirrored: async () => {
          await batch.query('begin')
          await forgetIds(batch, [removed, again])
        },
        copied: async () => {
          await batch.query('commit')
          await takeAt(bench, [again], later)
        },
      })
    } finally {
      batch.release()
    }
    expect((await readTakenTimes(pool, [again])).get(again)?.getTime()).toBe(later)
    expect(await known(bench, ids)).toEqual([true, false, true])
    expect(await leftovers(bench)).toEqual([])
  })

  test('while it moves on, its tables belong to the owner of the schema, as whose role batches write', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const { pool } = bench
    const owner = `${bench.sandbox.namespace}owner`
    await pool.query(`create role "${owner}"`)
    try {
      const { rows } = await pool.query<{ schema: string }>('select quote_ident(current_schema) as schema')
      await pool.query(`alter schema ${rows[0]?.schema} owner to "${owner}"`)
      let others: unknown
      const mirrored = async () => {
        others = await foreignTables(bench, owner)
      }
      await maintainInboxAt(pool, Date.now() + 5 * weekMs, { mirrored })
      expect(others).toEqual([])
    } finally {
      await pool.query(`reassign owned by "${owner}" to current_user; drop owned by "${owner}"; drop role "${owner}"`)
    }
  })

  test('an inbox of an older version, with ids without a time among those of the future, moves on', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const { pool } = bench
    const now = Date.now()
    await pool.query('drop table inbox_untimed')
    const { rows } = await pool.query<{ bound: string }>(
      `select pg_get_expr(relpartbound, oid) as bound from pg_class where relname = 'inbox_future' and relnamespace = current_schema::regnamespace`,
    )
    const from = /FROM \('([^']+)'\)/.exec(rows[0]?.bound ?? '')?.[1]
    await pool.query(
      `drop table inbox_future; create table inbox_future partition of inbox for values from ('${from}') to (maxvalue)`,
    )
    const ids = [idOf('foreign'), newEventId(now + 9 * weekMs), newEventId(now)]
    await takeIds(pool, ids)
    await maintainInbox(pool)
    expect(await partitionsOf(bench)).toHaveLength(rememberedWeeks + 1 + 4 + 3)
    expect(await known(bench, ids)).toEqual([true, true, true])
  })
})
