import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { generationTable } from '../../infra/topic-generations/generation-table.ts'
import { findStack } from '../../infra/stack/supervisor/running-stack.ts'
import { readTopic } from '../../infra/testing/read-topic.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { ApiClient, newOrderOf } from '../../producers/direct/api-client.ts'
import { demoCatalogue } from '../../producers/sample-data/demo-catalogue.ts'
import { orderGenerator } from '../../producers/sample-data/order-generator.ts'
import { laneOf } from '../../schemas/partition.ts'
import { generationOf, topicName, topics, withoutGeneration } from '../../schemas/topics.ts'
import { fillWarehouse } from '../demo/fill-warehouse.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'
import { note } from '../../infra/testing/test-logger.ts'

const before = 4
const after = 6
const ordersPerSecond = 100
const seed = 1
const articles = demoCatalogue(seed)

interface ChangedJson {
  moved: { orders: number; parked: number; timers: number; calls: number }
  heldMs: number
  strays: string[]
}

describe('changing the partition count while orders flow', () => {
  let stack: TestStack
  beforeAll(async () => {
    stack = await createTestStack(25_400, { TALLY_PARTITIONS: String(before), TALLY_LOG_LEVEL: 'fatal' })
    await stack.start()
    const { config, sandbox } = stack
    const { signal } = new AbortController()
    const api = new ApiClient({ url: apiUrl(), signal })
    await Promise.all(
      articles.map(({ sku, name, unitPriceMinor, currency }) =>
        api.putProduct(sku, { name, unitPriceMinor: String(unitPriceMinor), currency }),
      ),
    )
    await fillWarehouse({ config, pool: sandbox.pool, articles, seed, log: sandbox.log, signal })
  })
  afterAll(() => stack?.close())

  const apiUrl = () => `http://127.0.0.1:${stack.config.ports.api}`
  const schema = (service: string) => `"${schemaName(stack.sandbox.namespace, service)}"`
  const query = async <Row extends object>(text: string) => (await stack.sandbox.pool.query<Row>(text)).rows

  /** Places orders at a steady rate until told to end. Nothing is tried again: a refused order counts. */
  function flow() {
    const ending = new AbortController()
    const statuses: number[] = []
    let slowestMs = 0
    const orderAt = orderGenerator(seed, articles)
    const place = async (index: number) => {
      const begun = performance.now()
      const body = JSON.stringify(newOrderOf(orderAt(index)))
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${apiUrl()}/orders`, { method: 'POST', headers, body })
      await response.arrayBuffer()
      statuses.push(response.status)
      slowestMs = Math.max(slowestMs, performance.now() - begun)
    }
    const placing = (async () => {
      const placed: Promise<void>[] = []
      const begun = performance.now()
      for (let index = 0; !ending.signal.aborted; index++) {
        placed.push(place(index))
        await delay(Math.max(0, begun + ((index + 1) * 1_000) / ordersPerSecond - performance.now()))
      }
      await Promise.all(placed)
    })()
    return {
      statuses,
      async end() {
        ending.abort()
        await placing
        return { orders: statuses.length, refused: statuses.filter((status) => status !== 201).length, slowestMs }
      },
    }
  }

  /** Begins the change and kills the command as soon as it holds orders back. */
  async function beginAndKill() {
    const command = spawn(process.execPath, ['scripts/partitions.ts', String(after), '--yes'], {
      env: stack.sandbox.env,
      stdio: 'ignore',
    })
    const ended = once(command, 'exit')
    await waitUntil('orders are held back', async () => {
      const held = await query(`select from ${schema('orders')}.lane where owner = 'npm run partitions'`)
      return held.length > 0
    })
    command.kill('SIGKILL')
    await ended
  }

  test('no order is refused, none is lost, doubled or overtaken, and a killed command is gone on with', async () => {
    const orders = flow()
    await waitUntil('orders flow', () => orders.statuses.length > ordersPerSecond)
    await beginAndKill()
    const generations = () =>
      query(`select number from ${generationTable(stack.sandbox.namespace)} where switched_at is not null`)
    expect(await generations()).toEqual([{ number: 1 }])
    await waitUntil('orders are published again by themselves', async () => {
      const [held] = await query<{ count: number }>(`select count(*) as count from ${schema('orders')}.outbox_batch`)
      return held?.count === 0
    })

    const other = await stack.run('partitions', String(after + 1), '--yes')
    expect(other).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^A change to 6 partitions has begun/m) })
    const { processes = [] } = (await findStack(stack.config.dataDir)) ?? {}
    const signal = (name: string, to: NodeJS.Signals) =>
      process.kill(processes.find((each) => each.name === name)?.identity?.pid ?? 0, to)
    signal('carrier', 'SIGSTOP') // So that there are orders that are half done at the cut
    await waitUntil('orders wait for the carrier', async () => {
      const calls = await query(`select from ${schema('shipping')}.call limit 10`)
      return calls.length === 10
    })
    signal('gateway', 'SIGSTOP') // Timers run while a part of an order is missing
    await waitUntil('orders wait for the gateway', async () => {
      const timers = await query(`select from ${schema('shipping')}.timer limit 10`)
      return timers.length === 10
    })
    const runs = await Promise.all([1, 2].map(() => stack.run('partitions', String(after), '--yes', '--json')))
    const timers = await query<{ lane: number; key: string }>(`select lane, key from ${schema('shipping')}.timer`)
    for (const name of ['carrier', 'gateway']) signal(name, 'SIGCONT')
    expect(timers.length).toBeGreaterThan(0)
    for (const { lane, key } of timers) expect(laneOf(key, after)).toBe(lane)
    const [changed, refused] = runs.toSorted((a, b) => Number(a.exitCode) - Number(b.exitCode))
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/Another process is changing the partitions|have 6 partitions already/),
    })
    note(changed?.stderr ?? '')
    const { moved, heldMs, strays } = JSON.parse(succeeded(changed!)) as ChangedJson
    const seen = orders.statuses.length
    await waitUntil('orders flow on', () => orders.statuses.length > seen + ordersPerSecond)
    const { refused: refusals, orders: placed, slowestMs } = await orders.end()
    note(
      `partitions: ${placed} orders, slowest answer ${Math.round(slowestMs)} ms, published nothing for ${heldMs} ms, moved ${JSON.stringify(moved)}\n`,
    )
    expect(refusals).toBe(0)
    expect(strays).toEqual([])
    expect(moved.orders).toBeGreaterThan(0)
    expect(moved.timers).toBeGreaterThan(0)
    expect(moved.calls).toBeGreaterThan(0)

    const verdict = JSON.parse(succeeded(await stack.run('verify', '--json', '--settle', '60'))) as { ok: boolean }
    expect(verdict.ok).toBe(true)
    expect(await query(`select order_id from ${schema('order-status')}.order_status where ended_at is null`)).toEqual(
      [],
    )
  })

  test('every record lies in the lane of its key, and orders went through the cut in order', async () => {
    const { kafka, namespace } = stack.sandbox
    const counts = [before, after]
    const records = [0, 0]
    for (const topic of topics)
      for (const [index, partitions] of counts.entries())
        for (const { key, partition } of await readTopic(kafka, topicName(namespace, topic, index + 1))) {
          records[index] = (records[index] ?? 0) + 1
          expect(laneOf(key ?? '', partitions)).toBe(partition)
        }
    for (const count of records) expect(count).toBeGreaterThan(ordersPerSecond)

    const entries = await query<{ order_id: string; type: string; topic: string }>(
      `select order_id, type, topic from ${schema('order-status')}.timeline order by order_id, seq`,
    )
    const through = [...Map.groupBy(entries, ({ order_id: id }) => id).values()].filter(
      (own) => new Set(own.map(({ topic }) => generationOf(topic))).size > 1,
    )
    expect(through.length).toBeGreaterThan(0)
    for (const own of through) {
      const told = own.map(({ topic }) => generationOf(topic))
      expect(told).toEqual(told.toSorted((a, b) => a - b))
      const payments = own.filter(({ topic }) => withoutGeneration(topic) === 'payments').map(({ type }) => type)
      expect(payments[0]).toMatch(/^Payment(Authorized|Declined)$/)
    }
  })

  test('the commands know the new lanes', async () => {
    const { consumers } = JSON.parse(succeeded(await stack.run('scale', '--json'))) as {
      consumers: { consumer: string; replicas: { lanes: object[] }[] }[]
    }
    for (const { replicas } of consumers) expect(replicas.flatMap(({ lanes }) => lanes)).toHaveLength(after)
    const { stdout } = await stack.run('partitions')
    expect(stdout).toMatch(/^2 \(current\) +6 /m)
    // Killed right after the switch: the same command finishes it
    await query(`update ${generationTable(stack.sandbox.namespace)} set sealed_at = null where number = 2`)
    const finished = succeeded(await stack.run('partitions', String(after), '--yes', '--json'))
    expect(JSON.parse(finished)).toMatchObject({ moved: null, strays: [] })
    for (const [count, sentence] of [
      ['6', /^The topics have 6 partitions already$/m],
      ['0', /not a whole number from 1 to 1200/],
      ['100000', /not a whole number from 1 to 1200/],
    ] as const) {
      const { exitCode, stderr } = await stack.run('partitions', count, '--yes')
      expect(exitCode).not.toBe(0)
      expect(stderr).toMatch(sentence)
    }
  })
})
