import { expect, test } from '@jest/globals'
import { watchGeneration } from '../../infra/topic-generations/watch-generation.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { countTable, orders, tallyConsumer } from './testing/tally-consumer.ts'
import { openTestBench } from './testing/test-bench.ts'

const looks = 12

test('an idle replica makes at most two statements a second and opens no connection', async () => {
  await using bench = await openTestBench('tester', countTable)
  let statements = 0
  let connections = 0
  bench.pool.on('connect', () => connections++)
  const query = (...args: unknown[]): unknown => {
    statements++
    return Reflect.apply(bench.pool.query, bench.pool, args)
  }
  const connect = () => {
    statements += 3 // At least: begin, one more, and commit
    return bench.pool.connect()
  }
  const pool = Object.assign(Object.create(bench.pool) as Pool, { query, connect })
  await bench.publish(orders(20))
  const replica = await bench.replica(tallyConsumer('tester'), 'idle', { pool })
  const watching = watchGeneration(
    { pool, config: bench.config, log: bench.sandbox.log, seen: () => replica.generation() },
    () => Promise.resolve(),
  )
  await bench.settled(['orders'])
  await waitUntil('all is published and noted', async () => {
    const before = statements
    await waitUntil('it has looked twice', async () => statements >= before + 2)
    return replica.generation() === 1
  })
  const from = { statements, connections, at: performance.now() }
  await waitUntil('it has looked often', async () => statements >= from.statements + looks)
  const seconds = (performance.now() - from.at) / 1_000
  expect((statements - from.statements) / seconds).toBeLessThanOrEqual(2.1) // The first look may come at once
  expect(connections).toBe(from.connections)
  await watching()
})
