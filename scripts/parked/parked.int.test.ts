import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { migrate } from '../../infra/postgres/migrate.ts'
import { ordersMigrations, ordersSchema } from '../../producers/orders-api/migrations.ts'
import { loadConsumer } from '../../consumers/runtime/load-consumer.ts'
import { orderPlaced } from '../../consumers/runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../consumers/runtime/testing/test-bench.ts'
import type { TestBench } from '../../consumers/runtime/testing/test-bench.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { newEventId } from '../../schemas/event-id.ts'
import { readGroupAccount } from '../../consumers/operations/group-account.ts'
import { readGroups } from '../../consumers/operations/groups.ts'
import { accountedFor } from '../verify/invariants/parked-accounted.ts'

let bench: TestBench
beforeAll(async () => {
  bench = await openTestBench('inventory', '', 3, { TALLY_RETRY_LIMIT: '0' })
  const delivery = { sku: 'A', quantity: 10, replenishedAt: Date.now() }
  await bench.publish([{ type: 'StockReplenished', data: delivery as never }])
  await bench.replica(await loadConsumer('inventory', bench.config))
  const { config, sandbox } = bench
  const schema = ordersSchema(config.namespace) // Its table of keys seals an address that an operator types in
  await migrate({ url: config.postgres.url, schema, folders: ordersMigrations, log: sandbox.log })
  await bench.settled(['stock'])
})
afterAll(async () => bench[Symbol.asyncDispose]())

async function parked(...args: string[]) {
  const child = spawn(process.execPath, ['scripts/parked.ts', ...args], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: bench.sandbox.env,
    stdio: ['ignore', 'pipe', 'pipe'], // Nobody to ask
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { exitCode: child.exitCode, stdout, stderr }
}

/** Parks a record nobody can read, and one order of the same key behind it. */
async function park(orderId: string): Promise<{ head: string; behind: string }> {
  await bench.publishRaw('orders', { key: orderId, value: Buffer.from('not Avro'), headers: { ce_id: newEventId() } })
  await bench.publish([orderPlaced(orderId)])
  return waitUntil('both are parked', async () => {
    const { rows } = await bench.pool.query<{ id: number }>('select id from parked where key = $1 order by id', [
      orderId,
    ])
    const [head, behind] = rows.map(({ id }) => `inventory/${id}`)
    return head && behind ? { head, behind } : undefined
  })
}

const reserved = async () =>
  (await bench.pool.query<{ reserved: number }>(`select reserved from stock where sku = 'A'`)).rows[0]?.reserved

test('an empty parking lot is said in one line', async () => {
  expect(await parked('ls', '--group', 'inventory')).toEqual({
    exitCode: 0,
    stdout: 'Nothing is parked.\n',
    stderr: '',
  })
  expect(await parked('ls', '--group', 'nobody')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('payment'),
  })
  expect(await parked('redrive')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Name the events') })
  expect(await parked('drop', '--all')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--why') })
})

test('an event is found, tried, mended and gone, and the trace of it stays', async () => {
  const { head, behind } = await park('o-1')
  const list = await parked('ls', '--json')
  expect(JSON.parse(list.stdout)).toMatchObject({
    counts: expect.arrayContaining([expect.objectContaining({ group: 'inventory', reason: 'UNREADABLE', heads: 1 })]),
    records: [
      { key: 'o-1', events: [{ group: 'inventory', reason: 'UNREADABLE', nextAttemptAt: null, behind: 1 }] },
      { type: 'OrderPlaced', events: [{ reason: 'BEHIND' }] },
    ],
  })
  const shown = await parked('show', head)
  expect(shown.stdout).toContain('6e 6f 74 20 41 76 72 6f                          not Avro')
  expect(shown.stdout).toContain(`${behind} OrderPlaced`)

  const edit = (data: object, ...more: string[]) =>
    parked(
      'edit',
      head,
      '--type',
      'OrderPlaced',
      '--why',
      'the sender wrote text',
      '--value',
      JSON.stringify(data),
      ...more,
    )
  const { data } = orderPlaced('o-1')
  const wrong = await edit({ ...data, lines: [{ ...data.lines[0], quantity: 'two' }] }, '--yes')
  expect(wrong).toMatchObject({ exitCode: 2, stdout: '' })
  expect(wrong.stderr).toContain('data.lines[0].quantity is a text')
  expect(await edit(data)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('add --yes') })

  const dryRun = await edit(data, '--rehearse', '--json')
  expect(JSON.parse(dryRun.stdout)).toMatchObject({
    dryRuns: [
      {
        key: 'o-1',
        events: [
          { outcome: 'HANDLED', events: [{ type: 'StockReserved', topic: 'inventory' }] },
          { outcome: 'HANDLED' },
        ],
        shared: [{ id: 'A', before: { onHand: 10, reserved: 0 }, after: { onHand: 9, reserved: 1 } }],
      },
    ],
  })
  expect(await reserved()).toBe(0)

  const done = await edit(data, '--yes', '--json', '--actor', 'ada')
  expect(done.exitCode).toBe(0)
  expect(JSON.parse(done.stdout)).toMatchObject({ asked: 2, groups: [{ handled: 2, failed: [], waiting: [] }] })
  expect(await reserved()).toBe(1)
  expect(await parked('show', head)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/was handled at 20.* by /),
  })
}, 120_000)

test('a redrive says what failed again; a drop lets the rest go', async () => {
  const { head, behind } = await park('o-2')
  const again = await parked('redrive', behind, '--yes')
  expect(again.exitCode).toBe(1)
  expect(again.stderr).toContain('behind others of their key')
  expect(again.stdout).toMatch(/^0 events handled, 1 key failed again\.\n/)
  expect(again.stdout).toMatch(new RegExp(`${head} +UNREADABLE +waits for you +1 +o-2[^]*the value`))
  expect(await parked('drop', head, '--why', 'nonsense')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('add --yes'),
  })
  expect(
    await parked('drop', '--key', 'o-2', '--reason', 'unreadable', '--why', 'nonsense', '--yes', '--json'),
  ).toMatchObject({
    exitCode: 0,
    stdout: '{"dropped":[{"group":"inventory","events":1}]}\n',
  })
  await waitUntil('what waited behind it is handled', async () => (await reserved()) === 2)
  const gone = await parked('drop', head, '--why', 'again')
  expect(gone.stderr).toMatch(/was dropped at 20.* by .*: nonsense/)
})

test('the books say what became of everything that was parked', async () => {
  const { config, pool } = bench
  const group = (await readGroups(config)).find(({ name }) => name === 'inventory')!
  const account = await readGroupAccount(pool, group)
  const parked = [...account.ledger.values()].flat().reduce((sum, span) => sum + span.parked, 0)
  expect(accountedFor(account)).toEqual({ parked: 0, gone: parked })
  expect(account.dropped).toMatchObject([{ key: 'o-2', why: 'nonsense' }])
  expect(account.audit).toEqual(expect.arrayContaining([{ action: 'EDITED', source: 'record', events: 1 }]))
  expect(account.inbox.rows).toBe(parked + 1) // The delivery of stock was never parked
})
