import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { queueServers } from '../../infra/queue-settings.ts'
import type { QueueServer } from '../../infra/queue-settings.ts'
import { canTest } from '../../infra/testing/queues/start-queues.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'

const orders = 100

describe.each(queueServers)('the demo with --door %s', (door) => {
  const onQueue = canTest(door) ? test : test.skip
  let stack: TestStack
  beforeAll(async () => void (stack = await createTestStack(door === 'sqs' ? 22_400 : 22_300)))
  afterAll(() => stack.close())

  const demo = async () => {
    const output = await stack.run('demo', '--door', door, '--exit', '--json', '--orders', String(orders))
    return JSON.parse(succeeded(output)) as {
      repeated: number
      verdict: { ok: boolean; orders: Record<string, number> }
    }
  }
  const throughQueue = async (server: QueueServer) => {
    const keys = `"${schemaName(stack.sandbox.namespace, 'orders')}".idempotency`
    const { rows } = await stack.sandbox.pool.query(`select from ${keys} where starts_with(key, $1)`, [
      `${server}:tally-demo`,
    ])
    return rows.length
  }

  onQueue('starts server and bridge, and every order comes through the queue, however often it is run', async () => {
    for (const repeated of [0, orders]) {
      const result = await demo()
      expect(result).toMatchObject({ repeated, verdict: { ok: true } })
      expect(Object.values(result.verdict.orders).reduce((sum, n) => sum + n, 0)).toBe(orders)
      expect(await throughQueue(door)).toBe(orders)
    }
  })

  onQueue('says that a stack which runs already has no bridge', async () => {
    await stack.start()
    const { exitCode, stderr } = await stack.run('demo', '--door', door, '--orders', '1')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining(`was started without --door ${door}`),
    })
  })
})
