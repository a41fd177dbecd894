import { expect, test } from '@jest/globals'
import { consumerMigrations, schemaName } from '../../../runtime/load-consumer.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import { migrate } from '../../../../infra/postgres/migrate.ts'
import { lockLaneAsOperator } from '../../../../producers/outbox/lane-table.ts'
import { counts, published } from '../../../runtime/testing/observe.ts'
import { countTable, orderPlaced, orders, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import { openPool, openTestBench } from '../../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../../runtime/testing/test-bench.ts'
import type { Mode } from '../plan.ts'
import { dryRunPlan } from './dry-run-plan.ts'
import { openReplayOf, rangesOf } from '../testing/replay-of.ts'

const group = 'tester'
const open = (partitions = 3) => openTestBench(group, countTable, partitions, { TALLY_RETRY_LIMIT: '0' })

/** Every row of every table of the schema. */
async function everything({ pool }: TestBench): Promise<Record<string, unknown>> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') order by 1`,
  )
  const contents: Record<string, unknown> = {}
  for (const { name } of tables) contents[name] = (await pool.query(`select t::text from "${name}" t order by 1`)).rows
  return contents
}

async function openPlan(bench: TestBench, mode: Mode, definition = tallyConsumer(group)) {
  const ranges = await rangesOf(bench, 'orders')
  return openReplayOf(bench, definition, ranges, { plan: { mode, toTopic: 'elsewhere' } })
}

async function take(bench: TestBench, events: ReturnType<typeof orders>) {
  const replica = await bench.replica(tallyConsumer(group))
  await bench.publish(events)
  await bench.settled(['orders'])
  await replica.stop()
}

test('reprocessing is shown row by row, and changes nothing', async () => {
  await using bench = await open()
  await take(bench, [orderPlaced('o-1', 'asks'), orderPlaced('o-2', 'waits'), orderPlaced('o-1'), orderPlaced('o-3')])
  await using replay = await openPlan(bench, 'reprocess')
  const sent = new Set(await published(bench, 'inventory'))
  const before = await everything(bench)

  const dryRun = await dryRunPlan(replay.context, replay.run.plan)

  expect(await everything(bench)).toEqual(before)
  expect(dryRun).toMatchObject({ tried: 4, figures: { handled: 4, failed: 0, repeated: 0 }, failures: [], left: [] })
  const now = await counts(bench)
  const rows = new Map(dryRun.states.map((row) => [row.id, row]))
  expect([...rows.keys()].toSorted()).toEqual(['o-1', 'o-2', 'o-3'])
  expect(rows.get('o-1')).toMatchObject({ before: now.get('o-1'), after: { placed: 4 } })
  expect(dryRun.events.map(({ id }) => sent.has(id))).toEqual([true, true, true, true])
  expect(dryRun.events[0]).toMatchObject({ type: 'StockReserved', topic: 'inventory' })
  expect(dryRun.calls).toMatchObject([{ kind: 'ask', key: 'o-1' }])
  expect(dryRun.timers).toMatchObject([{ kind: 'remind', key: 'o-2' }])
  expect(dryRun.tables).toEqual(
    expect.arrayContaining([
      { table: 'outbox_batch', inserted: 2, updated: 0, deleted: 0 },
      { table: 'call', inserted: 1, updated: 0, deleted: 0 },
    ]),
  )
})

test('redelivering is shown to change nothing but what the inbox lacks', async () => {
  await using bench = await open()
  await take(bench, orders(6))
  await using replay = await openPlan(bench, 'redeliver')
  const run = () => dryRunPlan(replay.context, replay.run.plan)
  expect(await run()).toMatchObject({ figures: { handled: 0, known: 6 }, states: [], events: [], tables: [] })
  await bench.pool.query('delete from inbox where event_id = (select min(event_id::text)::uuid from inbox)')
  expect(await run()).toMatchObject({ figures: { handled: 1, known: 5 }, states: [{ after: { placed: 2 } }] })
})

test('what would fail is shown, and what lies around it is shown as it would be without it', async () => {
  await using bench = await open(1)
  await take(bench, [orderPlaced('a'), orderPlaced('b'), orderPlaced('a'), orderPlaced('c')])
  const good = tallyConsumer(group)
  const handle = good.handlers.OrderPlaced!
  const fails = (orderId: string) => (orderId === 'a' ? 'throws' : orderId === 'c' ? 'refused' : 'counts')
  await using replay = await openPlan(bench, 'reprocess', {
    ...good,
    handlers: {
      OrderPlaced: (order, ...rest) => handle({ ...order, customerId: fails(order.orderId) }, ...rest),
    },
  })
  const before = await everything(bench)
  const dryRun = await dryRunPlan(replay.context, replay.run.plan)
  expect(dryRun.failures.map(({ offset, reason }) => [offset, reason])).toEqual([
    [0, 'HANDLER_FAILED'],
    [2, 'BEHIND'],
    [3, 'REFUSED_BY_DATABASE'],
  ])
  expect(dryRun).toMatchObject({ figures: { handled: 1, failed: 3 }, states: [{ id: 'b', after: { placed: 2 } }] })
  expect(dryRun.tables).toEqual(
    expect.arrayContaining([{ table: 'outbox_batch', inserted: 1, updated: 0, deleted: 0 }]),
  )
  expect(await everything(bench)).toEqual(before)
})

test('a rebuild is shown as the rows it folds, a copy as the records it moves', async () => {
  await using bench = await open()
  await take(bench, [orderPlaced('o-1'), orderPlaced('o-1'), orderPlaced('o-2')])
  await using rebuild = await openPlan(bench, 'rebuild')
  const { states } = await dryRunPlan(rebuild.context, rebuild.run.plan)
  expect(new Map(states.map(({ id, before, after }) => [id, [before, after]]))).toEqual(
    new Map([
      ['o-1', [undefined, { placed: 2, answered: 0, fired: 0 }]],
      ['o-2', [undefined, { placed: 1, answered: 0, fired: 0 }]],
    ]),
  )
  const copied = await dryRunPlan(rebuild.context, { ...rebuild.run.plan, mode: 'copy' })
  expect(copied.figures).toEqual({ copied: 3 })
  expect(copied.copies[0]).toMatchObject({ topic: 'orders', type: 'OrderPlaced', toTopic: 'elsewhere' })
})

test('a sample is the same for the same seed and another for another', async () => {
  await using bench = await open()
  await take(bench, orders(40))
  await using replay = await openPlan(bench, 'reprocess')
  const keys = async (sample: number, seed: number) =>
    (await dryRunPlan(replay.context, replay.run.plan, { sample, seed })).states.map(({ id }) => id)
  const once = await keys(10, 1)
  expect(once).toHaveLength(10)
  expect(await keys(10, 1)).toEqual(once)
  expect(await keys(10, 2)).not.toEqual(once)
  expect(await keys(100, 1)).toHaveLength(40)
  await expect(keys(0, 1)).rejects.toMatchObject({ code: 'USAGE' })
})

test('a lane that does not come free is left, the others are shown', async () => {
  await using bench = await open()
  await take(bench, orders(30))
  await using replay = await openPlan(bench, 'reprocess')
  const dryRun = await inTransaction(bench.pool, async (tx) => {
    await lockLaneAsOperator(tx, 1)
    await tx.query(`set local idle_in_transaction_session_timeout = '20s'`)
    return dryRunPlan(replay.context, replay.run.plan)
  })
  expect(dryRun.left).toEqual([{ lane: 1, why: 'its owner is busy with it' }])
  expect(dryRun.states.length).toBeGreaterThan(0)
  expect(dryRun.states.length).toBeLessThan(30)
})

test('it says which groups handle an event that would go out, and whether they know it', async () => {
  await using bench = await open()
  await take(bench, orders(2))
  const { config, sandbox } = bench
  const schema = schemaName(config.namespace, 'shipping')
  await migrate({ url: config.postgres.url, schema, folders: consumerMigrations('shipping'), log: sandbox.log })
  const shipping = openPool(config, schema, sandbox.log)
  try {
    const [known] = await published(bench, 'inventory')
    await shipping.query('create table inbox_all partition of inbox default')
    await shipping.query('insert into inbox (event_id) values ($1)', [known])
    await using replay = await openPlan(bench, 'reprocess')
    const { events } = await dryRunPlan(replay.context, replay.run.plan)
    expect(new Map(events.map(({ id, readers }) => [id === known, readers]))).toEqual(
      new Map([
        [
          true,
          [
            { group: 'order-status', known: false },
            { group: 'shipping', known: true },
          ],
        ],
        [
          false,
          [
            { group: 'order-status', known: false },
            { group: 'shipping', known: false },
          ],
        ],
      ]),
    )
  } finally {
    await shipping.end()
  }
})
