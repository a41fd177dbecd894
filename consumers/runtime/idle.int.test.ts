import { expect, test } from '@jest/globals'
import { listen } from '../../infra/notices/listen.ts'
import { noNotices } from '../../infra/notices/notices.ts'
import type { Notices } from '../../infra/notices/notices.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { watchGeneration } from '../../infra/topic-generations/watch-generation.ts'
import { schemaName } from './load-consumer.ts'
import { pauseLanes } from './tables/pause-table.ts'
import { countTable, orders, tallyConsumer } from './testing/tally-consumer.ts'
import { openTestBench } from './testing/test-bench.ts'
import type { TestBench } from './testing/test-bench.ts'

/** Hears nothing and does not know it, as if every notice were lost. */
const lostNotices: Notices = { heard: true, subscribe: () => () => {} }

/** The pool of the bench, and what was done with it. */
function counted(bench: TestBench) {
  const used = { statements: 0, connections: 0 }
  bench.pool.on('connect', () => used.connections++)
  const query = (...args: unknown[]): unknown => {
    used.statements++
    return Reflect.apply(bench.pool.query, bench.pool, args)
  }
  const connect = () => {
    used.statements += 3 // At least: begin, one more, and commit
    return bench.pool.connect()
  }
  return { used, pool: Object.assign(Object.create(bench.pool) as Pool, { query, connect }) }
}

const phases = async ({ pool }: TestBench): Promise<string> =>
  (await pool.query<{ phase: string }>('select distinct phase from lane_state')).rows.map(({ phase }) => phase).join()

test.each([
  { name: 'no notices', notices: noNotices, atMost: 2, looks: 12 },
  { name: 'notices', notices: lostNotices, atMost: 0.3, looks: 2 },
])('with $name an idle replica makes at most $atMost statements a second and opens no connection', async (given) => {
  await using bench = await openTestBench('tester', countTable)
  const { used, pool } = counted(bench)
  await bench.publish(orders(20))
  const replica = await bench.replica(tallyConsumer('tester'), 'idle', { pool, notices: given.notices })
  const watching = watchGeneration(
    { pool, config: bench.config, log: bench.sandbox.log, seen: () => replica.generation() },
    () => Promise.resolve(),
  )
  await bench.settled(['orders'])
  await waitUntil('all is published and noted', async () => {
    const before = used.statements
    await waitUntil('it has looked twice', async () => used.statements >= before + 2)
    return replica.generation() === 1
  })
  const from = { ...used, at: performance.now() }
  await waitUntil('it has looked often', async () => used.statements >= from.statements + given.looks)
  const seconds = (performance.now() - from.at) / 1_000
  expect((used.statements - from.statements - 1) / seconds).toBeLessThanOrEqual(given.atMost) // The first may come at once
  expect(used.connections).toBe(from.connections)
  await watching()
})

test('an idle replica hears of a pause, and finds it by itself if the notice is lost', async () => {
  await using bench = await openTestBench('tester', countTable)
  const { config, pool, sandbox } = bench
  const schema = schemaName(sandbox.namespace, 'tester')
  const heard = listen({ url: config.postgres.url, schema, pool, name: 'idle', log: sandbox.log })
  let told = 0
  heard.subscribe(() => told++)
  await waitUntil('it to hear', async () => heard.heard)
  for (const notices of [heard, lostNotices]) {
    const replica = await bench.replica(tallyConsumer('tester'), `replica ${told}`, { notices })
    await waitUntil('its lanes to be live', async () => (await phases(bench)) === 'live')
    const before = told
    await inTransaction(pool, (tx) => pauseLanes(tx, [0, 1, 2], 'test', 'operator'))
    await waitUntil('the pause', async () => (await phases(bench)) === 'paused')
    expect(told).toBeGreaterThan(before)
    await replica.stop()
    await pool.query('delete from pause')
  }
  await heard.stop()
})
