import { expect, test } from '@jest/globals'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { ordersMigrations, ordersSchema } from '../../../producers/orders-api/migrations.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { consumerMigrations, schemaName } from '../../runtime/load-consumer.ts'
import { listParked } from '../../runtime/tables/parked-list.ts'
import { maintainInbox } from '../../runtime/tables/inbox/partitions.ts'
import { countTable, orderPlaced, tallyConsumer } from '../../runtime/testing/tally-consumer.ts'
import { openPool, openTestBench } from '../../runtime/testing/test-bench.ts'
import { choose, findEvents } from './choose-parked.ts'
import { dropChosen } from './drop-parked.ts'
import { prepareEdits, writeEdits } from './mend-parked.ts'
import { listRecords } from './parked-records.ts'
import { readParkedLog } from './show-parked.ts'
import { seeThrough } from './redrive-parked.ts'

const by = { actor: 'ada', why: 'the sender wrote text' }
const { signal } = new AbortController()

/** Two groups that read the same topics. Nothing is retried by itself. */
async function openGroups() {
  const bench = await openTestBench('tester', countTable, 3, { TALLY_RETRY_LIMIT: '0' })
  const { config, sandbox } = bench
  const schema = schemaName(config.namespace, 'second')
  await migrate({ url: config.postgres.url, schema, folders: consumerMigrations('second'), log: sandbox.log })
  const orders = ordersSchema(config.namespace) // Its table of keys seals an address that an operator types in
  await migrate({ url: config.postgres.url, schema: orders, folders: ordersMigrations, log: sandbox.log })
  const pool = openPool(config, schema, sandbox.log)
  await maintainInbox(pool)
  await pool.query(countTable)
  await bench.replica(tallyConsumer('tester'), 'first')
  const second = await bench.replica(tallyConsumer('second'), 'second', { pool })
  const groups = [
    { name: 'tester', pool: bench.pool },
    { name: 'second', pool },
  ]
  return {
    bench,
    groups,
    /** Publishes a record that no group can read, and one order behind it. @returns name of the record */
    async park(orderId: string): Promise<string> {
      const value = Buffer.from('not Avro')
      await bench.publishRaw('orders', { key: orderId, value, headers: { ce_id: newEventId() } })
      await bench.publish([orderPlaced(orderId)])
      return waitUntil('both groups have parked both', async () => {
        const parked = await Promise.all(groups.map((group) => listParked(group.pool, {}, { limit: 10 })))
        return parked.every(({ length }) => length === 2) ? parked[0]?.[0]?.record : undefined
      })
    },
    async [Symbol.asyncDispose]() {
      await second.stop()
      await pool.end()
      await bench[Symbol.asyncDispose]()
    },
  }
}

test('a record that two groups have parked is one, and dropped in both; interrupted, the rest is dropped by a second run', async () => {
  await using open = await openGroups()
  const { groups } = open
  const record = await open.park('o-1')
  const everything = groups.map((group) => ({ group, selection: {} }))
  const [first, behind] = await listRecords(everything, { limit: 10 })
  expect(first).toMatchObject({ record, key: 'o-1', events: [{ reason: 'UNREADABLE' }, { reason: 'UNREADABLE' }] })
  expect(first?.events.map(({ group }) => group).toSorted()).toEqual(['second', 'tester'])
  expect(behind).toMatchObject({ type: 'OrderPlaced', events: [{ reason: 'BEHIND' }, { reason: 'BEHIND' }] })
  // Listed for one reason, a record is still shown with all groups
  expect(await listRecords(everything, { limit: 1, newest: true })).toMatchObject([{ record: behind?.record }])

  const chosen = await choose(groups, { id: [{ record }] })
  expect(await dropChosen(chosen.slice(0, 1), by, { signal })).toEqual([{ group: 'tester', events: 1 }])
  const left = await choose(groups, { id: [{ record }] })
  expect(left.map(({ group }) => group.name)).toEqual(['second'])
  expect(await dropChosen(left, by, { signal })).toEqual([{ group: 'second', events: 1 }])
  await expect(choose(groups, { id: [{ record }] })).rejects.toThrow(
    /tester\/\d+ \(key o-1\) was dropped at .* by ada: the sender wrote text; second\/\d+ .*was dropped/,
  )
  const drops = (await readParkedLog(groups, { keys: ['o-1'], limit: 50 })).filter(({ action }) => action === 'DROPPED')
  expect(drops).toMatchObject([
    { group: 'second', ...by },
    { group: 'tester', ...by },
  ])
  expect(await readParkedLog(groups, { keys: ['o-2'], limit: 50 })).toEqual([])
  expect(await readParkedLog(groups, { since: new Date(Date.now() + 3_600_000), limit: 50 })).toEqual([])
})

test('one edit mends a record in all groups; a second run changes nothing', async () => {
  await using open = await openGroups()
  const { groups, bench } = open
  const record = await open.park('o-1')
  const events = await findEvents(groups, { record })
  const { data } = orderPlaced('o-1')
  const request = { text: () => JSON.stringify(data), type: 'OrderPlaced' }
  const prepared = await prepareEdits(bench.config, events, request, signal)
  const first = await writeEdits(prepared.slice(0, 1), by, { redrive: false, signal })
  expect(first).toMatchObject({ outcomes: [{ group: 'tester', outcome: 'edited' }], asked: [] })

  const again = await prepareEdits(bench.config, events, request, signal)
  const { outcomes, asked } = await writeEdits(again, by, { redrive: true, signal })
  expect(outcomes).toMatchObject([
    { group: 'tester', outcome: 'unchanged' },
    { group: 'second', outcome: 'edited' },
  ])
  expect(await seeThrough(bench.config, asked, { signal })).toMatchObject([
    { group: 'second', outcome: { handled: 2, failed: [], pending: [] } },
  ])
  const late = await writeEdits(prepared.slice(0, 1), by, { redrive: true, signal })
  expect(late.outcomes).toMatchObject([{ outcome: 'failed', error: expect.stringContaining('look at it again') }])
})
