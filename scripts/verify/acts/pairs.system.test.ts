import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { note } from '../../../infra/testing/test-logger.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { eventGenerator } from '../../../producers/sample-data/event-generator.ts'
import { connectCodec } from '../../../consumers/operations/connect-codec.ts'
import type { OrderPlaced } from '../../../schemas/generated/events.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { tableLines } from '../../cli/table.ts'
import { createTestStack, succeeded } from '../../testing/test-stack.ts'
import type { TestStack } from '../../testing/test-stack.ts'
import { verify } from '../verify.ts'
import { pairsOf } from './testing/pairs-of.ts'

const partitions = 2
const consumers = ['inventory', 'notifications', 'order-status', 'payment', 'shipping']
const readersOfOrders = consumers
const orderOf = eventGenerator('OrderPlaced', 7)

/** Why each act is done; `verify` must name it where it is not green. */
const whyOf = (act: string) => `pairs: ${act}`

/**
 * Walks all pairs of the commonest acts of operators on one running stack, each act on an order of its own, and verifies after each. A violation
 * that no act explains fails the pair.
 */
describe('verify after every pair of acts', () => {
  let stack: TestStack
  let orders = 0
  beforeAll(async () => {
    const env = { TALLY_PARTITIONS: String(partitions), TALLY_LOG_LEVEL: 'fatal', TALLY_RETRY_LIMIT: '0' }
    stack = await createTestStack(30_400, env)
    await stack.start()
    succeeded(await stack.run('produce', 'StockReplenished', '--count', '200'))
  })
  afterAll(() => stack?.close())

  const run = async (...args: [string, ...string[]]) => succeeded(await stack.run(...args))
  const query = async <Row extends object>(text: string, values: unknown[] = []) =>
    (await stack.sandbox.pool.query<Row>(text, values)).rows
  const at = (group: string, table: string) => `"${schemaName(stack.sandbox.namespace, group)}".${table}`

  /** Sends a record as another program would. @returns its place, `orders/1:12` */
  async function send(key: string, value: Buffer): Promise<string> {
    const partition = laneOf(key, partitions)
    const producer = stack.sandbox.kafka.producer()
    await producer.connect()
    const message = { key, value, partition }
    const [sent] = await producer.send({ topic: `${stack.sandbox.namespace}orders`, messages: [message] })
    await producer.disconnect()
    return `orders/${partition}:${sent?.baseOffset}`
  }
  const next = () => orderOf(orders++)
  const encoded = async (data: unknown) => {
    const codec = await connectCodec(stack.config, new AbortController().signal)
    return Buffer.from(codec.encode('OrderPlaced', data as OrderPlaced))
  }
  const parked = (key: string, groups: readonly string[] = readersOfOrders) =>
    waitUntil(`${groups.join(', ')} have parked ${key}`, async () => {
      for (const group of groups)
        if ((await query(`select 1 from ${at(group, 'parked')} where key = $1`, [key])).length === 0) return false
      return true
    })
  /** Sends a record that nobody can read. */
  async function spoil() {
    const event = next()
    const { orderId } = event.data as { orderId: string }
    const record = await send(orderId, Buffer.from('not Avro'))
    await parked(orderId)
    return { record, orderId, json: JSON.stringify(event.data) }
  }
  async function place(): Promise<string> {
    const { id, type, data } = next()
    const file = join(stack.config.dataDir, 'order.ndjson')
    await writeFile(file, `${JSON.stringify({ id, type, data })}\n`)
    await run('produce', '--file', file)
    return (data as { orderId: string }).orderId
  }
  const ended = (orderId: string) =>
    waitUntil(`${orderId} has ended`, async () => {
      const rows = await query<{ status: string }>(
        `select status from ${at('order-status', 'order_status')} where order_id = $1`,
        [orderId],
      )
      return ['completed', 'rejected', 'cancelled'].includes(rows[0]?.status ?? '')
    })
  async function replay(act: string, mode: string, group: string | undefined, ...options: string[]): Promise<string> {
    const plan = join(stack.config.dataDir, 'plan.json')
    const whose = group === undefined ? [] : ['--group', group]
    await run('replay', 'plan', '--mode', mode, ...whose, '--out', plan, '--force', ...options)
    await readFile(plan)
    return run('replay', 'run', plan, '--why', whyOf(act), '--yes', '--json')
  }
  const edit = (act: string, record: string, json: string, ...more: string[]) =>
    run('parked', 'edit', record, '--type', 'OrderPlaced', '--value', json, '--why', whyOf(act), '--yes', ...more)
  const drop = (act: string, key: string, ...more: string[]) =>
    run('parked', 'drop', '--key', key, '--why', whyOf(act), '--yes', ...more)

  const acts: Record<string, (act: string) => Promise<unknown>> = {
    'edit in all': async (act) => {
      const { record, orderId, json } = await spoil()
      await edit(act, record, json)
      await ended(orderId)
    },
    'edit + drop in one': async (act) => {
      const { record, orderId, json } = await spoil()
      await drop(act, orderId, '--group', 'payment')
      await edit(act, record, json)
    },
    'drop in all': async (act) => drop(act, (await spoil()).orderId),
    'redrive + drop': async (act) => {
      const { orderId } = await spoil()
      const { exitCode } = await stack.run('parked', 'redrive', '--key', orderId, '--yes')
      expect(exitCode).toBe(1) // It stays unreadable
      await drop(act, orderId)
    },
    'pause + resume': async (act) => {
      await run('lanes', 'pause', 'payment', '--why', whyOf(act))
      const orderId = await place()
      await run('lanes', 'resume', 'payment')
      await ended(orderId)
    },
    skip: async (act) => {
      await run('lanes', 'pause', 'payment', '--why', whyOf(act))
      const { data } = next()
      const { orderId } = data as { orderId: string }
      const record = await send(orderId, await encoded(data))
      await run(
        'lanes',
        'skip',
        `payment/${laneOf(orderId, partitions)}`,
        '--offsets',
        record,
        '--why',
        whyOf(act),
        '--yes',
      )
      await run('lanes', 'resume', 'payment')
    },
    redeliver: (act) => replay(act, 'redeliver', 'inventory'),
    reprocess: (act) => replay(act, 'reprocess', 'notifications'),
    rebuild: (act) => replay(act, 'rebuild', 'order-status'),
  }

  test('is green, or names the act', async () => {
    const only = process.env.TALLY_TEST_ACTS?.split(',')
    const names = Object.keys(acts).filter((name) => only?.includes(name) ?? true)
    const walk = pairsOf(names)
    const cells = new Map<string, string>()
    const unexplained: string[] = []
    let before = walk[0]!
    await acts[before]!(before)
    for (const name of walk.slice(1)) {
      await acts[name]!(name)
      const { ok, findings } = await verify(stack.config, { settleWithinMs: 20_000 })
      const lines = findings.flatMap(({ id, violations, examples }) =>
        examples.map((each) => ({ id, violations, each })),
      )
      const named = lines.some(({ each }) => each.includes(', because ') && each.includes(whyOf(name)))
      const cell = ok ? (named ? 'named' : 'green') : 'RED'
      cells.set(`${before} × ${name}`, cell)
      note(`${before} × ${name}: ${cell}`)
      if (!ok)
        unexplained.push(
          ...lines
            .filter(({ violations }) => violations > 0)
            .map(({ id, each }) => `${before} × ${name}: ${id}: ${each}`),
        )
      before = name
    }
    const table = names.map((one) => [
      one,
      ...names.map((other) => cells.get(`${one} × ${other}`) ?? cells.get(`${other} × ${one}`) ?? '-'),
    ])
    process.stdout.write(`${tableLines({ head: ['', ...names], rows: table }, 400).join('\n')}\n`)
    expect(unexplained).toEqual([])
    expect(cells.size).toBe((names.length * (names.length + 1)) / 2)
  }, 1_200_000)
})
