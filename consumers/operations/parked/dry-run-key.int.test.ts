import { expect, test } from '@jest/globals'
import type { Context } from '../../runtime/handler.ts'
import { published } from '../../runtime/testing/observe.ts'
import type { Count } from '../../runtime/testing/tally-consumer.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { countTable, orderPlaced, tallyConsumer } from '../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../runtime/testing/test-bench.ts'
import { editParked, encodeEdit } from './edit-parked.ts'
import { listParked, readParked } from '../../runtime/tables/parked-list.ts'
import { readAudit } from '../../runtime/tables/audit.ts'
import { awaitRedrive } from './await-redrive.ts'
import { dryRunKey } from './dry-run-key.ts'

const group = 'tester'
const open = (settings: Record<string, string> = {}) =>
  openTestBench(group, countTable, 3, { TALLY_RETRY_LIMIT: '0', ...settings })
const definition = tallyConsumer(group)
const optionsOf = ({ pool, codec, config }: TestBench) => ({ definition, pool, codec, partitions: config.partitions })
const by = { actor: 'ada', why: 'a slip of the pen' }

/** Every row of every table of the schema. */
async function everything({ pool }: TestBench): Promise<Record<string, unknown>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') order by 1`,
  )
  const contents: Record<string, unknown> = {}
  for (const { name } of tables) {
    contents[name] = (await pool.query(`select t::text from "${name}" t order by 1`)).rows
  }
  return contents
}

/** Parks these orders of one key, with nobody left who could retry them. */
async function parkAll(bench: TestBench, customers: readonly string[]) {
  await bench.publish(customers.map((customer) => orderPlaced('o-1', customer)))
  const replica = await bench.replica(definition)
  await bench.settled(['orders'])
  await replica.stop()
  return listParked(bench.pool, {}, { limit: 100 })
}

test('a dry run shows states, rows and what would go out, and changes nothing', async () => {
  await using bench = await open()
  const [head] = await parkAll(bench, ['throws', 'asks', 'waits'])
  const before = await everything(bench)
  const failing = await dryRunKey(head!.lane, 'o-1', optionsOf(bench))
  expect(failing).toMatchObject({
    events: [{ id: head!.id, outcome: 'HANDLER_FAILED', error: 'this order cannot be handled' }],
    left: 3,
    states: [],
    tables: [{ table: 'parked', inserted: 0, updated: 1, deleted: 0 }],
  })
  // As if the first had been mended
  const good = bench.codec.encode('OrderPlaced', orderPlaced('o-1').data)
  const dryRun = await dryRunKey(head!.lane, 'o-1', {
    ...optionsOf(bench),
    asIf: (row) => (row.id === head!.id ? { ...row, value: good } : row),
  })
  expect(
    dryRun.events.map(({ outcome, events, calls, timers }) => [outcome, events.length, calls.length, timers.length]),
  ).toEqual([
    ['HANDLED', 1, 0, 0],
    ['HANDLED', 1, 1, 0],
    ['HANDLED', 1, 0, 1],
  ])
  expect(dryRun).toMatchObject({
    left: 0,
    states: [{ id: 'o-1', before: undefined, after: { placed: 3, answered: 0, fired: 0 } }],
  })
  expect(dryRun.events[1]?.calls).toMatchObject([{ kind: 'ask', request: { orderId: 'o-1' } }])
  expect(dryRun.tables).toEqual(
    expect.arrayContaining([
      { table: 'outbox_batch', inserted: 3, updated: 0, deleted: 0 },
      { table: 'call', inserted: 1, updated: 0, deleted: 0 },
      { table: 'timer', inserted: 1, updated: 0, deleted: 0 },
      { table: 'parked_audit', inserted: 3, updated: 0, deleted: 0 },
    ]),
  )
  expect(await everything(bench)).toEqual(before)
})

test('a dry run stops where the database refuses, and shows what goes before', async () => {
  await using bench = await open()
  const [head] = await parkAll(bench, ['throws', 'refused', 'counts'])
  const good = bench.codec.encode('OrderPlaced', orderPlaced('o-1').data)
  const before = await everything(bench)
  const dryRun = await dryRunKey(head!.lane, 'o-1', {
    ...optionsOf(bench),
    asIf: (row) => (row.id === head!.id ? { ...row, value: good } : row),
  })
  expect(dryRun.events.map(({ outcome }) => outcome)).toEqual(['HANDLED', 'REFUSED_BY_DATABASE'])
  expect(dryRun).toMatchObject({ left: 2, states: [{ after: { placed: 1 } }] })
  expect(await everything(bench)).toEqual(before)
})

test('an edit mends a value; the bytes before and after stay in the audit', async () => {
  await using bench = await open()
  const [head] = await parkAll(bench, ['throws', 'counts'])
  const row = (await readParked(bench.pool, head!.id))!
  const { type, data } = orderPlaced('o-1', 'mended')
  const edit = encodeEdit(row, { type, data }, bench.codec, 3)
  const asked = await editParked(bench.pool, edit, by, { redrive: true })
  await bench.replica(definition)
  const obstacles = () => Promise.resolve([])
  expect(await awaitRedrive(bench.pool, [asked!], { obstacles })).toMatchObject({ handled: 2, pending: [], failed: [] })
  const audit = await readAudit(bench.pool, [head!.id])
  expect(audit.map(({ action }) => action)).toEqual(['EDITED', 'REDRIVE_ASKED', 'HANDLED'])
  expect(audit[0]).toMatchObject({ ...by, before: row.value, after: edit.value, headers: row.headers })
  // Its id is as it was: what follows derives from it
  expect(audit[0]?.eventId).toBe(row.eventId)
})

test('an edit that cannot be is refused, and says what is wrong', async () => {
  await using bench = await open()
  const [head] = await parkAll(bench, ['throws'])
  const row = (await readParked(bench.pool, head!.id))!
  const { type, data } = orderPlaced('o-1')
  expect(() => encodeEdit(row, { type, data: { ...data, lines: [] } }, bench.codec, 3)).toThrow(/lines/)
  expect(() => encodeEdit(row, { type: 'StockReplenished', data: {} as never }, bench.codec, 3)).toThrow(/topic/)
  const elsewhere = ['a', 'b', 'c', 'd', 'e', 'f'].map(
    (orderId) => () => encodeEdit(row, { type, data: { ...data, orderId } }, bench.codec, 3),
  )
  expect(elsewhere.filter((encode) => throws(encode, /belongs to lane/)).length).toBeGreaterThan(0)
  expect(() => encodeEdit(row, { answer: {} }, bench.codec, 3)).toThrow(/not the answer/)

  const edit = encodeEdit(row, { type, data }, bench.codec, 3)
  await editParked(bench.pool, edit, by, { redrive: false })
  await expect(editParked(bench.pool, edit, by, { redrive: false })).rejects.toThrow('changed or left meanwhile')
  expect((await readAudit(bench.pool, [row.id])).map(({ action }) => action)).toEqual(['EDITED'])
})

test('the answer to a call is mended as an event is; where it comes from stays', async () => {
  await using bench = await open()
  const failing = {
    ...definition,
    calls: {
      ask: {
        ...definition.calls!['ask']!,
        handle: (answer: { good?: boolean }, state: Count, context: Context) => {
          if (!answer.good) throw new Error('nonsense')
          return definition.calls!['ask']!.handle(answer as never, state, context, new Map<string, never>())
        },
      },
    },
  }
  await bench.publish([orderPlaced('o-1', 'asks')])
  await bench.replica(failing)
  const head = await waitUntil('the answer is parked', async () => (await listParked(bench.pool, {}, { limit: 10 }))[0])
  const row = (await readParked(bench.pool, head.id))!
  expect(row).toMatchObject({ source: 'answer', type: 'ask', reason: 'HANDLER_FAILED' })
  const edit = encodeEdit(row, { answer: { good: true } }, bench.codec, 3)
  const dryRun = await dryRunKey(row.lane, row.key, {
    ...optionsOf(bench),
    definition: failing,
    asIf: (other) => ({ ...other, value: edit.value }),
  })
  expect(dryRun.states).toMatchObject([{ before: { answered: 0 }, after: { answered: 1 } }])
  const asked = await editParked(bench.pool, edit, by, { redrive: true })
  const obstacles = () => Promise.resolve([])
  expect(await awaitRedrive(bench.pool, [asked!], { obstacles })).toMatchObject({ handled: 1, failed: [] })
  expect(dryRun.events[0]?.events.map(({ eventId }) => eventId)).toEqual((await published(bench, 'inventory')).slice(1))
})

function throws(work: () => unknown, message: RegExp): boolean {
  try {
    work()
    return false
  } catch (error) {
    return message.test(String(error))
  }
}
