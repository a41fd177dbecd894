import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findStack } from '../../infra/stack/supervisor/running-stack.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { Output, TestStack } from '../testing/test-stack.ts'

interface DemoJson {
  firstOrderMs: number
  repeated: number
  flow: Record<string, number>
  verdict: { ok: boolean; orders: Record<string, number> }
}

const proved = (output: Output) => JSON.parse(succeeded(output)) as DemoJson

describe('the demo', () => {
  let stack: TestStack
  beforeAll(async () => void (stack = await createTestStack(26_000)))
  afterAll(() => stack.close())

  test('starts a stack, places orders with every possible end, proves the result and exits', async () => {
    const { verdict, repeated, firstOrderMs } = proved(await stack.run('demo', '--exit', '--json', '--orders', '200'))
    expect(verdict.ok).toBe(true)
    expect(repeated).toBe(0)
    expect(firstOrderMs).toBeGreaterThan(0)
    const { completed = 0, rejected = 0, cancelled = 0 } = verdict.orders
    expect(completed + rejected + cancelled).toBe(200)
    expect(completed).toBeGreaterThan(150)
    expect(rejected).toBeGreaterThan(0)
    expect(cancelled).toBeGreaterThan(0)
    expect(await findStack(stack.config.dataDir)).toBeUndefined()
  })

  test('verify reports that it could not check while the servers are unreachable', async () => {
    const { exitCode, stdout, stderr } = await stack.run('verify', '--settle', '0')
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^Could not be checked\. The payment gateway does not answer/m)
  })

  test('places no order twice for the same seed in a running stack', async () => {
    await stack.start()
    const { verdict, repeated } = proved(await stack.run('demo', '--json', '--orders', '200'))
    expect(repeated).toBe(200)
    expect(Object.values(verdict.orders).reduce((sum, n) => sum + n, 0)).toBe(200)
  })

  test('proves the result although the API and a consumer are killed while orders flow', async () => {
    const processOf = async (name: string) => {
      const found = await findStack(stack.config.dataDir)
      return found?.processes.find((process) => process.name === name && process.state === 'ready')?.identity?.pid
    }
    const running = stack.run('demo', '--json', '--orders', '300', '--seed', '2')
    const accepted = `"${schemaName(stack.sandbox.namespace, 'orders')}".placed_order`
    for (const [name, afterOrders] of [
      ['payment', 230],
      ['orders-api', 350],
    ] as const) {
      await waitUntil(`${afterOrders} orders placed`, async () => {
        const { rows } = await stack.sandbox.pool.query(`select from ${accepted}`)
        return rows.length >= afterOrders
      })
      process.kill((await processOf(name)) as number, 'SIGKILL')
    }
    const { verdict } = proved(await running)
    expect(Object.values(verdict.orders).reduce((sum, n) => sum + n, 0)).toBe(500)
    const found = await findStack(stack.config.dataDir)
    const restarted = found?.processes.filter(({ restarts }) => restarts > 0).map(({ name }) => name)
    expect(restarted).toEqual(expect.arrayContaining(['orders-api', 'payment']))
  })
})
