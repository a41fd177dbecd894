import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../consumers/runtime/load-consumer.ts'
import { readTopic } from '../infra/testing/read-topic.ts'
import { orderGenerator } from '../producers/sample-data/order-generator.ts'
import type { OrderPlaced } from '../schemas/generated/events.ts'
import { topicName, topics } from '../schemas/topics.ts'
import { createTestStack, succeeded } from './testing/test-stack.ts'
import type { TestStack } from './testing/test-stack.ts'

/** Orders through the API and straight to Kafka; a customer may have some of both. */
const sources = [
  { seed: 7, count: 60, via: 'api' },
  { seed: 8, count: 60, via: 'kafka' },
] as const
const orders = sources.flatMap(({ seed, count }) =>
  Array.from({ length: count }, (_, index) => orderGenerator(seed)(index)),
)
const words = [...new Set(orders.flatMap(({ shipTo }) => [shipTo.recipient, shipTo.street]))]

describe('forgetting a customer of a running pipeline', () => {
  let stack: TestStack
  beforeAll(async () => {
    stack = await createTestStack(23_600)
    await stack.start()
    succeeded(await stack.run('produce', 'StockReplenished', '--count', '200', '--seed', '1'))
    for (const { seed, count, via } of sources)
      succeeded(await stack.run('produce', 'OrderPlaced', '--count', `${count}`, '--seed', `${seed}`, '--via', via))
    await verified()
  })
  afterAll(() => stack.close())

  const json = async (...args: Parameters<TestStack['run']>) => JSON.parse(succeeded(await stack.run(...args)))
  const verified = async () => {
    const { ok, orders: ended } = await json('verify', '--json', '--settle', '120')
    expect(ok).toBe(true)
    return ended as Record<string, number>
  }
  const records = async () => {
    const { kafka, namespace } = stack.sandbox
    const read = await Promise.all(topics.map((topic) => readTopic(kafka, topicName(namespace, topic))))
    return read.flat().map(({ value }) => value ?? Buffer.alloc(0))
  }
  /** Tables of the pipeline with a row that holds one of these words, as text or as bytes. */
  const tablesWith = async (texts: readonly string[]) => {
    const { pool, namespace } = stack.sandbox
    const { rows } = await pool.query<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
       where starts_with(table_schema, $1) and table_type = 'BASE TABLE'`,
      [namespace],
    )
    const forms = texts.flatMap((text) => [text, Buffer.from(text).toString('hex')])
    const found: string[] = []
    for (const { name } of rows) {
      const { rowCount } = await pool.query(
        `select from ${name} as t, unnest($1::text[]) as word where position(word in t::text) > 0 limit 1`,
        [forms],
      )
      if (rowCount !== 0) found.push(name)
    }
    return found
  }
  const customerWithBoth = () => {
    const [api, direct] = sources.map(({ count }, at) => orders.slice(at * 60, at * 60 + count)) as OrderPlaced[][]
    const both = api?.find(({ customerId }) => direct?.some((order) => order.customerId === customerId))
    return both?.customerId ?? ''
  }

  test('no name and no street is in any record or table in clear, before anybody is forgotten', async () => {
    expect(words.length).toBeGreaterThan(50)
    const values = await records()
    expect(values.length).toBeGreaterThan(orders.length * 4)
    expect(words.filter((word) => values.some((value) => value.includes(word)))).toEqual([])
    expect(await tablesWith(words)).toEqual([])
  })

  test('what was sealed can no longer be opened, and the books balance as before, replays and rebuilds included', async () => {
    const customerId = customerWithBoth()
    const mine = orders.filter((order) => order.customerId === customerId)
    expect(mine.length).toBeGreaterThan(1)
    const ended = await verified()
    expect(await json('forget', '--customer', customerId, '--dry-run', '--json')).toMatchObject({
      ...{ dryRun: true, customerId, orders: mine.length, keys: 1, open: [], unreadable: 0, clearInKafkaUntil: null },
      clear: { orders: 0, parked: 0, audited: 0 },
    })
    const forget = ['forget', '--customer', customerId, '--why', 'ticket 4711', '--yes', '--json'] as const
    expect(await json(...forget)).toMatchObject({ complete: true, resumed: false })
    expect(await json(...forget)).toMatchObject({ complete: true, keys: 0 })
    expect(await json('forget', '--list', '--json')).toMatchObject({
      forgettings: [{ customerId, why: 'ticket 4711' }],
    })
    expect(await verified()).toEqual(ended)

    const plan = (name: string) => join(stack.config.dataDir, `${name}.json`)
    const replay = async (name: string, ...args: readonly string[]) => {
      succeeded(await stack.run('replay', 'plan', ...args, '--out', plan(name)))
      succeeded(await stack.run('replay', 'run', plan(name), '--why', 'after a forgetting', '--yes'))
    }
    await replay('rebuild', '--mode', 'rebuild', '--group', 'order-status')
    await replay('redeliver', '--mode', 'redeliver', '--group', 'shipping', '--from', 'earliest')
    expect(await verified()).toEqual(ended)
    const schema = `"${schemaName(stack.sandbox.namespace, 'order-status')}"`
    const { rows } = await stack.sandbox.pool.query<{ orders: number }>(
      `select count(*) as orders from ${schema}.order_status where customer_id = $1 and ended_at is not null`,
      [customerId],
    )
    expect(rows).toEqual([{ orders: mine.length }])
  })

  test('without a customer, without a reason or with a question that nobody can answer, nothing is done', async () => {
    const outputs = [
      await stack.run('forget'),
      await stack.run('forget', '--customer', 'c-1'),
      await stack.run('forget', '--customer', 'c-1', '--why', 'x'),
    ]
    expect(outputs.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2])
    expect(outputs.map(({ stderr }) => stderr.split('\n').find((line) => /error|Nothing/.test(line)))).toEqual([
      'error: name the customer with --customer, or add --list',
      'error: say why with --why, or add --dry-run',
      expect.stringContaining('Nothing was done: there is no terminal to ask'),
    ])
  })
})
