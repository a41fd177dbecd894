import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { findStack } from '../../infra/stack/supervisor/running-stack.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { copyCheckout } from '../mutate/working-copy.ts'
import type { WorkingCopy } from '../mutate/working-copy.ts'
import { applyEdit } from '../mutate/mutation.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'

const portBase = 31_200

/** Sends one request. @returns status, or what became of the connection */
const send = (agent: Agent, method: string, path: string, body?: object): Promise<number | string> =>
  new Promise((resolve) => {
    const headers = {
      'content-type': 'application/json',
      ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
    }
    request({ host: '127.0.0.1', port: portBase + 80, method, path, agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
      .on('error', (error) => resolve(error.message))
      .end(body && JSON.stringify(body))
  })

const order = {
  ...{ customerId: 'c-1', currency: 'EUR', lines: [{ sku: 'restart-1', quantity: 1 }] },
  shipTo: { recipient: 'R', street: 'S 1', city: 'C', postalCode: '1', country: 'FR' },
}

/** Clients that send one request after the other, half of them on a connection that they keep, half on a new one each time. */
class Load {
  readonly answers: (number | string)[] = []
  readonly #body: object
  readonly #kept = new Agent({ keepAlive: true })
  readonly #fresh = new Agent({ keepAlive: false })
  readonly #clients: readonly Promise<void>[]
  #running = true

  constructor(body: object) {
    this.#body = body
    this.#clients = Array.from({ length: 8 }, (_, index) => this.#client(index % 2 === 0 ? this.#kept : this.#fresh))
  }

  async #client(agent: Agent): Promise<void> {
    while (this.#running) this.answers.push(await send(agent, 'POST', '/orders', this.#body))
  }

  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#clients)
    this.#kept.destroy()
  }
}

describe('a restart of the orders API', () => {
  let copy: WorkingCopy
  let stack: TestStack
  beforeAll(async () => {
    copy = await copyCheckout()
    stack = await createTestStack(portBase, { TALLY_PARTITIONS: '2', TALLY_LOG_LEVEL: 'error' }, copy.dir)
    await stack.start()
    const product = { name: 'Thing', unitPriceMinor: '100', currency: 'EUR' }
    expect(await send(new Agent(), 'PUT', '/products/restart-1', product)).toBeLessThan(300)
  })
  afterAll(async () => {
    await stack?.close()
    await copy?.[Symbol.asyncDispose]()
  })

  const api = async () => {
    const found = await findStack(stack.config.dataDir)
    const processes = found?.processes.filter(({ name }) => name === 'orders-api') ?? []
    return processes.map(({ identity }) => identity?.pid)
  }

  test('under load no request fails, and every order that was accepted is stored', async () => {
    const load = new Load(order)
    await waitUntil('orders flow', () => load.answers.length > 50)
    for (let restart = 0; restart < 3; restart++) {
      const before = await api()
      const since = load.answers.length
      succeeded(await stack.run('scale', '--restart', 'orders-api'))
      const after = await api()
      expect([before.length, after.length, after[0] === before[0]]).toEqual([1, 1, false])
      await waitUntil('orders flow on', () => load.answers.length > since + 20)
    }
    await load.stop()
    expect(load.answers.filter((answer) => answer !== 201)).toEqual([])
    const table = `"${schemaName(stack.sandbox.namespace, 'orders')}".placed_order`
    const { rows } = await stack.sandbox.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)
    expect(rows[0]?.n).toBe(load.answers.length)
    process.stderr.write(`${load.answers.length} requests during 3 restarts, 0 failed\n`)
  })

  test('code that does not start leaves the old process at work', async () => {
    const before = await api()
    const file = 'producers/orders-api/main.ts'
    const source = await readFile(join(copy.dir, file), 'utf8')
    const broken = {
      file,
      find: 'return startOrdersApi(',
      replace: "throw new Error('broken'); return startOrdersApi(",
    }
    await writeFile(join(copy.dir, file), applyEdit(source, broken))
    const { exitCode, stderr } = await stack.run('scale', '--restart', 'orders-api')
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Still running: orders-api')])
    expect(await api()).toEqual(before)
    expect(await send(new Agent(), 'POST', '/orders', order)).toBe(201)
    await writeFile(join(copy.dir, file), source)
  })

  test('a restarted process that is killed listens again by itself', async () => {
    const [pid] = await api()
    process.kill(pid ?? 0, 'SIGKILL')
    await waitUntil('another process listens', async () => {
      const [now] = await api()
      return now !== undefined && now !== pid && (await send(new Agent(), 'GET', '/products')) === 200
    })
  })
})
