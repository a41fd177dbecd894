import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import type { NewOrder } from '../http/contract.ts'
import { storeSchemaIds } from '../orders/schema-ids.ts'
import { ordersMigrations, ordersSchema } from '../migrations.ts'
import { startOrdersApi } from '../start-orders-api.ts'
import type { OrdersApiOptions } from '../start-orders-api.ts'

export const partitions = 3

/** A deployed database, and replicas of the orders API on it. */
export interface OrdersBench extends AsyncDisposable {
  [Symbol.asyncDispose](): Promise<void>
  sandbox: Sandbox
  /** A pool of the schema of the orders API. */
  pool: Pool
  /** A pool of the schema of order-status. */
  projection: Pool
  start(replica: string, options?: ReplicaOptions): Promise<Replica>
}

export interface ReplicaOptions extends Pick<OrdersApiOptions, 'leaseMs' | 'heartbeatMs' | 'meter'> {
  /** An address without a broker. */
  kafkaAway?: boolean
  databaseUrl?: string
}

export interface Replica extends AsyncDisposable {
  url: string
  checks: Awaited<ReturnType<typeof startOrdersApi>>['checks']
  stop(): Promise<void>
}

const home = join(import.meta.dirname, '../../..')

export async function createOrdersBench(): Promise<OrdersBench> {
  const sandbox = createSandbox({ TALLY_PARTITIONS: String(partitions) })
  const { config, log, namespace } = sandbox
  const { url } = config.postgres
  const schemas = { orders: ordersSchema(namespace), status: `${namespace}order_status` }
  await migrate({ url, schema: schemas.orders, folders: ordersMigrations, log })
  await migrate({
    url,
    schema: schemas.status,
    folders: [{ name: 'own', path: join(home, 'consumers/order-status/sql') }],
    log,
  })
  const pool = createPool({ url, schema: schemas.orders, name: namespace, log })
  const projection = createPool({ url, schema: schemas.status, name: namespace, log })
  const ids = new Map<EventType, number>([
    ['OrderPlaced', 1],
    ['CancellationRequested', 2],
  ])
  await storeSchemaIds(pool, ids)
  await pool.query(
    `insert into product (sku, name, currency, unit_price_minor) values ('tea', 'Tea', 'EUR', 450), ('cup', 'Cup', 'EUR', 1299)`,
  )
  const running = new Set<Replica>()
  return {
    sandbox,
    pool,
    projection,
    async start(replica, { kafkaAway = false, databaseUrl = url, ...options } = {}) {
      const kafka = { ...config.kafka, ...(kafkaAway && { brokers: ['127.0.0.1:1'] }) }
      const where = { ...config, kafka, postgres: { ...config.postgres, url: databaseUrl } }
      const api = await startOrdersApi({ config: where, replica, log, port: 0, ...options })
      let stopping: Promise<void> | undefined
      const stop = () => (stopping ??= api.stop())
      const handle: Replica = { url: api.url, checks: api.checks, stop, [Symbol.asyncDispose]: stop }
      running.add(handle)
      return handle
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((replica) => replica.stop()))
      await Promise.all([pool.end(), projection.end()])
      await sandbox.close()
    },
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export const newOrder: NewOrder = {
  customerId: 'c-1',
  currency: 'EUR',
  lines: [{ sku: 'tea', quantity: 2 }],
  shipTo: { recipient: 'Jane Roe', street: 'High Street 1', city: 'Leeds', postalCode: '', country: 'UK' },
}
