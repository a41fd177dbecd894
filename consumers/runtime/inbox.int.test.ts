import { randomUUID } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { newEventId } from '../../schemas/event-id.ts'
import { inboxId, takeIds } from './inbox.ts'
import { maintainInbox, rememberedWeeks } from './inbox-partitions.ts'
import { countTable } from './testing/tally-consumer.ts'
import { openTestBench } from './testing/test-bench.ts'
import type { TestBench } from './testing/test-bench.ts'

const place = { topic: 'orders', partition: 3, offset: 17 }
const weekMs = 7 * 24 * 3_600_000

describe('the id the inbox knows an event by', () => {
  test('an id that carries its time stays as it is, however it is written', () => {
    const id = newEventId()
    expect(inboxId(id.toUpperCase(), place)).toBe(id)
  })

  test('any other id lies behind all times and is the same every time', () => {
    for (const id of [randomUUID(), 'INV/2026/0815', '', undefined, 'x'.repeat(10_000)]) {
      expect(inboxId(id, place)).toMatch(/^ffffffff-ffff-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(inboxId(id, place)).toBe(inboxId(id, place))
    }
  })

  test('an event without an id is its place', () => {
    expect(inboxId(undefined, place)).not.toBe(inboxId(undefined, { ...place, offset: 18 }))
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
    const untimed = inboxId('foreign', place)
    const ids = [timed, ahead, untimed]
    expect(await known(bench, ids)).toEqual([false, false, false])
    const before = await partitionsOf(bench)

    await maintainInbox(bench.pool, now + rememberedWeeks * weekMs)
    expect(await known(bench, ids)).toEqual([true, true, true])
    expect(await partitionsOf(bench)).toHaveLength(before.length)

    await bench.pool.query(`update inbox set taken_at = taken_at - interval '1 month' where event_id = $1`, [untimed])
    await maintainInbox(bench.pool, now + (rememberedWeeks + 1) * weekMs)
    expect(await known(bench, ids)).toEqual([false, true, false])
  })

  test('several processes maintain it at once', async () => {
    await using bench = await openTestBench('weeks', countTable, 1)
    const later = Date.now() + 2 * weekMs
    await Promise.all([1, 2, 3, 4].map(() => maintainInbox(bench.pool, later)))
    expect(new Set(await partitionsOf(bench)).size).toBe(rememberedWeeks + 1 + 4 + 2)
  })
})
