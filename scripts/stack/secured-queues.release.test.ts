import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { environmentWithoutServers, loadConfig } from '../../infra/config.ts'
import { silentLogger } from '../../infra/logger.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { queueServers } from '../../infra/queue-settings.ts'
import { canTest } from '../../infra/testing/queues/start-queues.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { ensureQueues } from '../../producers/bridge/start-bridge.ts'
import { createSecureStack } from './testing/secure-stack.ts'
import type { SecureStack } from './testing/secure-stack.ts'

const portBase = 23_700
const patienceMs = 900_000
const orders = 20
const forwarding = {
  rabbitmq: { TALLY_FORWARD_RABBITMQ: 'queue:events', TALLY_FORWARD_RABBITMQ_EVENTS: 'OrderPlaced' },
  sqs: { TALLY_FORWARD_SQS: 'events', TALLY_FORWARD_SQS_EVENTS: 'OrderPlaced' },
}

describe.each(queueServers.filter(canTest))('a secured stack with a bridge and a forwarder of %s', (server) => {
  let stack: SecureStack
  const config = () => loadConfig({ ...environmentWithoutServers(), ...stack.env, TALLY_PRINCIPAL: 'admin' })
  beforeAll(async () => {
    stack = await createSecureStack(portBase, { TALLY_QUEUE_SERVERS: server, ...forwarding[server] })
    await stack.start('--secure')
    await ensureQueues(config(), { door: server, queue: 'events', prefetch: 1 }, true)
  }, patienceMs)
  afterAll(async () => stack?.close())

  test(
    'the bridge stores orders with the rights of the orders API, and the forwarder has its own',
    async () => {
      await stack.serve('bridge', server, '--queue', 'orders', '--create')
      const sent = ['--count', String(orders), '--seed', '9', '--via', server, '--queue', 'orders']
      await stack.run('produce', 'OrderPlaced', ...sent)
      const pool = createPool({ url: config().postgres.url, name: 'orders', max: 1, log: silentLogger })
      try {
        await waitUntil('each message is an order', async () => {
          const { rows } = await pool.query(
            `select from orders.idempotency join orders.placed_order on order_id = reply->'body'->>'orderId'
             where starts_with(key, $1)`,
            [`${server}:orders `],
          )
          return rows.length === orders
        })
      } finally {
        await pool.end()
      }
      await stack.run('verify', '--queue', `${server}:events`) // Fails unless each event has come out
      expect(passwordsInLogs()).toEqual([])
    },
    patienceMs,
  )

  /** Names of the logs that show the password of the queue's server. */
  function passwordsInLogs(): string[] {
    if (server !== 'rabbitmq') return []
    const password = readFileSync(join(stack.dataDir, 'rabbitmq.password'), 'utf8')
    const folder = join(stack.dataDir, 'logs')
    return readdirSync(folder).filter((name) => readFileSync(join(folder, name), 'utf8').includes(password))
  }
})
