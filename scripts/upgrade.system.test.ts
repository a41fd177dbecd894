import { readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../consumers/runtime/load-consumer.ts'
import { findStack } from '../infra/stack/supervisor/running-stack.ts'
import { readTopic } from '../infra/testing/read-topic.ts'
import { waitUntil } from '../infra/testing/wait-until.ts'
import { orderIdOf } from '../producers/sample-data/order-generator.ts'
import { schemaIdOf } from '../schemas/codec/framing.ts'
import { applyEdit } from './mutate/mutation.ts'
import { copyCheckout } from './mutate/working-copy.ts'
import type { WorkingCopy } from './mutate/working-copy.ts'
import type { Passage } from '../consumers/operations/replicas/lane-trace.ts'
import { pidOf } from '../consumers/operations/replicas/unsettled.ts'
import { createTestStack, launchProcess, succeeded } from './testing/test-stack.ts'
import type { TestStack } from './testing/test-stack.ts'
import { note } from '../infra/testing/test-logger.ts'

interface ChangeJson {
  consumer: string
  replicas: { before: number; after: number }
  replaced: number
  lanes: Passage[]
  ok: boolean
}

const partitions = 6
const ordersPerSecond = 15
/** Exit code of a command after SIGTERM. */
const interrupted = 130
const consumers = ['inventory', 'notifications', 'order-status', 'payment', 'shipping']

/** A field that only version 2 of an event has. */
const remark = { name: 'remark', type: ['null', 'string'], default: null, doc: 'What the customer wanted to tell us' }

describe('upgrade while orders flow', () => {
  let copy: WorkingCopy
  let stack: TestStack
  const launched: AsyncDisposable[] = []
  beforeAll(async () => {
    copy = await copyCheckout()
    stack = await createTestStack(27_600, { TALLY_PARTITIONS: String(partitions), TALLY_LOG_LEVEL: 'fatal' }, copy.dir)
    await stack.start()
    succeeded(await stack.run('produce', 'StockReplenished', '--count', '200'))
  })
  afterAll(async () => {
    for (const each of launched) await each[Symbol.asyncDispose]()
    await stack?.close()
    await copy?.[Symbol.asyncDispose]()
  })

  /** Starts a process with the current code. */
  const launch = (...args: string[]) => {
    const process = launchProcess(copy.dir, stack.sandbox.env, ...args)
    launched.push(process)
    return process
  }
  /** Produces orders with the current code until SIGTERM. Resolves when the first one was processed. */
  const flow = async (seed: number, rate: number) => {
    const count = 600 * rate // Limited, so that it ends even if the test process is killed
    const options = ['--count', count, '--rate', rate, '--seed', seed].map(String)
    const producer = launch('scripts/produce.ts', 'OrderPlaced', ...options)
    await waitUntil('orders flow', async () => {
      const mail = `select from ${schema('notifications')}.mail where order_id = $1`
      return (await stack.sandbox.pool.query(mail, [orderIdOf(seed, 0)])).rows.length > 0
    })
    return producer
  }
  const change = async (...args: string[]): Promise<ChangeJson[]> => {
    const output = succeeded(await stack.run('scale', ...args, '--json'))
    const changes = (JSON.parse(output) as { consumers: ChangeJson[] }).consumers
    for (const { consumer, lanes } of changes) {
      const pauses = lanes.map(({ lane, standstillMs, claims }) => `${lane}: ${standstillMs} ms (${claims} claims)`)
      note(`scale ${args.join(' ')}: pauses of ${consumer} by lane: ${pauses.join(', ')}\n`)
    }
    expect(changes.filter(({ ok }) => !ok)).toEqual([])
    return changes
  }
  const booksBalance = async () => {
    const verdict = await stack.run('verify', '--json', '--settle', '60')
    expect(JSON.parse(succeeded(verdict))).toMatchObject({ ok: true })
  }
  const pids = async () => {
    const found = await findStack(stack.config.dataDir)
    return Object.fromEntries(found?.processes.map(({ name, identity }) => [name, identity?.pid]) ?? [])
  }
  const edit = async (file: string, find: string, replace: string) => {
    const path = join(copy.dir, file)
    await writeFile(path, applyEdit(await readFile(path, 'utf8'), { file, find, replace }))
  }
  const addField = async (event: string, field: object) => {
    const path = join(copy.dir, `schemas/avro/${event}.avsc`)
    const before = await readFile(path, 'utf8')
    const schema = JSON.parse(before) as { fields: object[] }
    await writeFile(path, JSON.stringify({ ...schema, fields: [...schema.fields, field] }))
    return () => writeFile(path, before)
  }

  test('every replica is replaced, one after the other', async () => {
    await change('payment=2')
    const before = await pids()
    await using orders = await flow(1, ordersPerSecond)
    const changes = await change('--restart')
    expect(changes.map(({ consumer, replaced }) => [consumer, replaced])).toEqual(
      consumers.map((consumer) => [consumer, consumer === 'payment' ? 2 : 1]),
    )
    const after = await pids()
    const replicas = [...consumers, 'payment-2', 'orders-api']
    expect(replicas.filter((name) => after[name] === before[name])).toEqual([])
    for (const [name, pid] of Object.entries(before)) if (!replicas.includes(name)) expect(after[name]).toBe(pid)
    expect(changes.flatMap(({ lanes }) => lanes).filter(({ claims }) => claims === 0)).toEqual([])
    // Orders still flowed at the end. Checked per consumer: a single lane gets few of them
    expect(changes.filter(({ lanes }) => !lanes.some(({ busy }) => busy))).toEqual([])
    expect(await orders.end()).toBe(interrupted)
    await booksBalance()
  })

  test('a version with undeployed events does not start, and the existing replicas continue', async () => {
    const before = await pids()
    const undo = await addField('PaymentAuthorized', remark)
    expect(await stack.run('scale', '--restart', 'payment')).toMatchObject({
      ...{ exitCode: 1, stdout: '' },
      stderr: expect.stringMatching(
        /like the PaymentAuthorized of this version: register the schemas first \(`npm run deploy`\)(.|\n)*\nNothing was changed\. Still running: payment, payment-2$/m,
      ),
    })
    await undo()
    expect(await pids()).toEqual(before)
  })

  test('a restart accepts no replica counts', async () => {
    expect(await stack.run('scale', 'payment=3', '--restart', 'payment')).toMatchObject({
      ...{ exitCode: 2, stdout: '' },
      stderr: expect.stringMatching(/--restart neither scales nor removes/),
    })
  })

  test('a replica started by hand shares the lanes with those of the stack, and returns them at its end', async () => {
    await using replica = launch('consumers/main.ts', 'shipping')
    const shares = async () => {
      const { rows } = await stack.sandbox.pool.query<{ owner: string; lanes: number }>(
        `select owner, count(*)::int as lanes from ${schema('shipping')}.lane group by owner order by owner = $1`,
        [byHand],
      )
      return JSON.stringify(rows.map(({ owner, lanes }) => [owner, lanes]))
    }
    const byHand = `shipping@${hostname()}:${replica.pid}`
    const supervised = `shipping@${hostname()}:${(await pids())['shipping']}`
    const half = partitions / 2
    const shared = JSON.stringify([
      [supervised, half],
      [byHand, half],
    ])
    await waitUntil('it has half the lanes', async () => (await shares()) === shared)
    const stdout = succeeded(await stack.run('scale'))
    expect(stdout).toMatch(new RegExp(`^${byHand} +\\d`, 'm'))
    expect(stdout).toMatch(/^shipping +\d/m)
    expect(await replica.end()).toBe(0)
    await waitUntil('its lanes are back', async () => (await shares()) === JSON.stringify([[supervised, partitions]]))
  })

  test('when an event gets a field, old and new replicas read both versions', async () => {
    const undo = await addField('OrderPlaced', { ...remark, type: 'string', default: undefined })
    expect(await stack.run('deploy', 'schemas')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^Nothing was registered.*\nOrderPlaced\.remark .*version 1.*would break inventory, notifications, order-status, payment, shipping/m,
      ),
    })
    await undo()

    await using ofV1 = await flow(2, ordersPerSecond)
    await addField('OrderPlaced', remark)
    await edit('producers/sample-data/order-generator.ts', 'currency: ', `remark: 'Ring twice', currency: `)
    expect(JSON.parse((await stack.run('deploy', 'schemas', '--json')).stdout)).toMatchObject({ step: 'schemas' })
    await using ofV2 = await flow(3, ordersPerSecond)
    const [beside] = await change('order-status=2') // The second one is of the new version
    expect(new Set(beside?.lanes.map(({ to }) => to))).toEqual(new Set(['order-status', 'order-status-2']))
    const taken = await waitUntil('each lane has processed orders of both versions', async () => {
      const spans = await spansOf('order-status')
      return spans.length === partitions && spans.every(({ first, next }) => next - first > 10) ? spans : undefined
    })
    expect([await ofV1.end(), await ofV2.end()]).toEqual([interrupted, interrupted])

    const records = await readTopic(stack.sandbox.kafka, `${stack.sandbox.namespace}orders`)
    const schemaIds = new Set(records.map(({ value }) => schemaIdOf(value)))
    expect(schemaIds.size).toBe(2) // All before this test are of the first
    const names = Object.fromEntries(Object.entries(await pids()).map(([name, pid]) => [pid, name]))
    const read = taken.flatMap(({ owner, partition, first, next }) =>
      records
        .filter((record) => record.partition === partition && first <= +record.offset && +record.offset < next)
        .map(({ value }) => `${names[pidOf(owner)]} read v${[...schemaIds].indexOf(schemaIdOf(value)) + 1}`),
    )
    expect(new Set(read)).toEqual(
      new Set(['order-status', 'order-status-2'].flatMap((replica) => [`${replica} read v1`, `${replica} read v2`])),
    )
    await booksBalance()
  })

  test('a new handler that writes a new column runs beside the old one', async () => {
    const folder = 'consumers/notifications'
    await writeFile(join(copy.dir, folder, 'sql/002_written_by.sql'), 'alter table mail add column written_by text;')
    await edit(
      `${folder}/mail-table.ts`,
      'event_id, time)\n   select *',
      `event_id, time, written_by)\n   select *, 'v2'`,
    )
    await edit(
      `${folder}/consumer.ts`,
      `() => 'We have received your order'`,
      `({ remark }) => remark ? 'We have received your order and your remark' : 'We have received your order'`,
    )
    await using orders = await flow(4, ordersPerSecond)
    succeeded(await stack.run('deploy', 'database', '--consumer', 'notifications'))
    const old = await mails()
    const [beside] = await change('notifications=2') // The second one is of the new version
    expect(new Set(beside?.lanes.map(({ to }) => to))).toEqual(new Set(['notifications', 'notifications-2']))
    await waitUntil('both write', async () => (await mails()).v1 > old.v1 && (await mails()).v2 > 0)

    const [restarted] = await change('--restart', 'notifications')
    expect(restarted).toMatchObject({ replaced: 2 })
    const { v1, v2 } = await mails()
    await waitUntil('the new one writes', async () => (await mails()).v2 > v2)
    expect(await orders.end()).toBe(interrupted)
    await booksBalance()
    expect((await mails()).v1).toBe(v1)
    expect((await mails()).remarked).toBeGreaterThan(0)
  })

  const schema = (group: string) => `"${schemaName(stack.sandbox.namespace, group)}"`
  /** Offsets of the orders that each lane's current owner has processed. */
  const spansOf = async (group: string) => {
    const { rows } = await stack.sandbox.pool.query<{ owner: string; partition: number; first: number; next: number }>(
      `select owner, partition, first_offset as first, next_offset as next
       from ${schema(group)}.lane as l join ${schema(group)}.ledger as s on s.partition = l.lane and s.epoch = l.epoch
       where topic = 'orders'`,
    )
    return rows
  }
  /** Number of mails by version of the handler, and of those that mention a remark. */
  const mails = async () => {
    const { rows } = await stack.sandbox.pool.query<{ v1: number; v2: number; remarked: number }>(
      `select count(*) filter (where written_by is null)::int as v1, count(written_by)::int as v2,
         count(*) filter (where subject like '%remark')::int as remarked
       from ${schema('notifications')}.mail`,
    )
    return rows[0] ?? { v1: 0, v2: 0, remarked: 0 }
  }
})
