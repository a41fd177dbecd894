import { expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createKafka } from '../../../infra/kafka/client.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { Relay } from '../../../producers/outbox/relay.ts'
import { batchOf } from '../../../producers/outbox/testing/stored-events.ts'
import { countTable } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import { Caller } from './caller.ts'

const lanes = 100
/** Of each lane: without a limit for the process, pages of the tables would take 300 MB. */
const pending = { rows: 1_000, calls: 500 }
const bytes = 2_000
/** 64 MB of rows and 32 MB of requests, and what objects add to 20,000 rows and 10,000 calls. */
const most = 170 * 2 ** 20

test('100 lanes with Kafka and the gateway down keep a bounded part of their outboxes and calls in memory', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const { pool, sandbox } = bench
  await fill(pool)
  const before = used()
  const read = { outbox_read: new Set<unknown>(), call_read: new Set<unknown>() }
  const counted = Object.assign(Object.create(pool) as Pool, {
    query: (statement: { name: keyof typeof read; values: { value?: unknown }[] }) => {
      read[statement.name]?.add(statement.values[0])
      return Reflect.apply(pool.query, pool, [statement])
    },
  })
  const kafka = createKafka({
    ...{ servers: { brokers: ['127.0.0.1:1'] }, clientId: 'memory', log: sandbox.log },
    retry: { retries: 0 },
  })
  const relay = new Relay({ kafka, pool: counted, namespace: sandbox.namespace, log: sandbox.log })
  const silent = { make: () => new Promise<never>(() => {}) }
  const caller = new Caller({ calls: { ask: silent }, pool: counted, log: sandbox.log })
  // One after the other, as they are claimed: the first ones have all the memory for a moment
  for (let lane = 0; lane < lanes; lane++) {
    relay.open(lane)
    caller.open({ lane, epoch: 1 }, () => {})
    await waitUntil('its calls are read', async () => read.call_read.has(lane))
  }
  await waitUntil('each lane has read its outbox', async () => read.outbox_read.size === lanes, { withinMs: 120_000 })
  const held = used() - before
  sandbox.log.info({ heldMb: Math.round(held / 2 ** 20) }, 'kept in memory')
  expect(held).toBeLessThan(most)
  caller.stop()
  await relay.stop()
})

async function fill(pool: Pool): Promise<void> {
  const { records } = batchOf(0, 1, { value: randomBytes(bytes) })
  await pool.query(
    `insert into outbox_batch select lane, seq, seq, 'orders', 0, length($3::bytea), $3::bytea
     from generate_series(0, $1 - 1) as lane, generate_series(1, $2) as seq`,
    [lanes, pending.rows, records],
  )
  await pool.query(
    `insert into call (id, lane, key, kind, request, cause)
     select gen_random_uuid(), lane, 'order', 'ask', json_build_object('text', repeat('x', $3)), '{}'
     from generate_series(0, $1 - 1) as lane, generate_series(1, $2) as n`,
    [lanes, pending.calls, bytes],
  )
}

/** Bytes of all live objects and buffers. */
function used(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
