import { expect, test } from '@jest/globals'
import { inboxId } from '../../../consumers/runtime/tables/inbox/inbox.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { prepareOurTables } from '../hop/prepare.ts'
import { fill, random, timed } from './fill.ts'
import type { InboxKind } from './fill.ts'

const ids = 3_000

async function filled(sandbox: Sandbox, kind: InboxKind) {
  const schema = await prepareOurTables(sandbox)
  const { signal } = new AbortController()
  const bytes = await fill({ sandbox, signal }, schema, kind, { ids, waiting: 240 })
  expect(bytes).toBeGreaterThan(ids * 16)
  const { rows } = await sandbox.pool.query<{ id: string; table: string; age: number }>(
    `select event_id as id, tableoid::regclass::text as table, extract(epoch from now() - taken_at)::float8 as age
     from ${schema}.inbox`,
  )
  const outbox = await sandbox.pool.query<{ lane: number; first: number; last: number; rows: number }>(
    `select lane, min(first_seq) as first, max(last_seq) as last, count(*) as rows from ${schema}.outbox_batch group by lane order by lane`,
  )
  return { rows, outbox: outbox.rows }
}

test('ids with a time have the format of the inbox and are spread over all weeks it keeps', async () => {
  await using sandbox = createSandbox()
  const { rows, outbox } = await filled(sandbox, timed)
  expect(new Set(rows.map(({ id }) => id)).size).toBe(ids)
  for (const { id } of rows)
    expect(
      inboxId(
        id,
        () => undefined,
        () => 'place',
      ),
    ).toBe(id)
  const perTable = Map.groupBy(rows, ({ table }) => table.replace(/.*\./, ''))
  expect(perTable.size).toBeGreaterThanOrEqual(3)
  for (const [table, inTable] of perTable) {
    expect(table).toMatch(/^inbox_w\d+$/)
    if (inTable.length > ids / 4) expect(inTable.length).toBeLessThan(ids / 2) // One of three weeks
  }
  // Numbers without gaps, in lanes that the run does not use
  expect(outbox).toEqual(Array.from({ length: 12 }, (_, index) => ({ lane: 12 + index, first: 1, last: 20, rows: 20 })))
})

test('random ids are in one table, in the format that the runtime gives to ids without a time', async () => {
  await using sandbox = createSandbox()
  const { rows } = await filled(sandbox, random)
  const tables = new Set(rows.map(({ table }) => table.replace(/.*\./, '')))
  expect([...tables]).toEqual(['inbox'])
  for (const { id } of rows) expect(id).toMatch(/^ffffffff-ffff-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Math.max(...rows.map(({ age }) => age))).toBeGreaterThan(20 * 24 * 3_600)
})
