import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { demoCatalogue } from '../../../producers/sample-data/demo-catalogue.ts'
import { freePort } from '../../../producers/orders-api/testing/orders-bench.ts'
import type { Ground } from '../benchmark.ts'
import { startService } from '../start-service.ts'
import type { Contestant } from './run-stages.ts'

const stages = ['api', 'authorize', 'reserve', 'ship', 'capture']
const readEveryMs = 100

/** The pollers: a table of orders with a status, and one process for the API and for each step. */
export async function startPollers(ground: Ground, ended: (orderId: string, at?: number) => void): Promise<Contestant> {
  const { config, namespace, pool } = ground.sandbox
  const schema = `${namespace}pollers`
  await prepareTables(ground.sandbox, schema)
  const port = await freePort()
  const order = { databaseUrl: config.postgres.url, gateway: config.gateway.url, carrier: config.carrier.url }
  const program = join(import.meta.dirname, '../peers/pollers.ts')
  const services = await Promise.all(
    stages.map((stage) => startService(ground, program, { args: [JSON.stringify({ ...order, schema, port, stage })] })),
  )
  const stop = new AbortController()
  async function readEnds(): Promise<void> {
    const { rows } = await pool.query<{ order_id: string; ms: number }>(
      `with ended as (update ${schema}.orders set read = true where status = 'captured' and not read
         returning order_id, ended_at)
       select order_id, extract(epoch from ended_at)::float8 * 1000 as ms from ended`,
    )
    for (const { order_id, ms } of rows) ended(order_id, ms)
  }
  const reading = (async () => {
    for (; !stop.signal.aborted; await sleep(readEveryMs)) await readEnds()
  })()
  return {
    services,
    url: `http://127.0.0.1:${port}`,
    cpuSeconds: () => services.reduce((sum, service) => sum + service.cpuSeconds(), 0),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await reading
      await Promise.all(services.map((service) => service[Symbol.asyncDispose]()))
    },
  }
}

async function prepareTables({ pool }: Sandbox, schema: string): Promise<void> {
  await pool.query(`create schema ${schema}`)
  await pool.query(`create table ${schema}.orders (
    order_id text primary key, status text not null, currency text not null, total_minor bigint not null,
    lines json not null, ship_to json not null, authorization_id text, placed_at timestamptz not null default now(),
    ended_at timestamptz, read boolean not null default false)`)
  // Few orders wait in each status, however many there are
  await pool.query(`create index on ${schema}.orders (status, placed_at) where status <> 'captured'`)
  await pool.query(`create index on ${schema}.orders (order_id) where status = 'captured' and not read`)
  await pool.query(`create table ${schema}.product (sku text primary key, unit_price_minor bigint not null)`)
  await pool.query(`create table ${schema}.stock (sku text primary key, on_hand bigint not null)`)
  const catalogue = demoCatalogue()
  const skus = catalogue.map(({ sku }) => sku)
  const prices = catalogue.map(({ unitPriceMinor }) => unitPriceMinor)
  await pool.query(`insert into ${schema}.product select * from unnest($1::text[], $2::bigint[])`, [skus, prices])
  await pool.query(`insert into ${schema}.stock select sku, 1000000000 from unnest($1::text[]) as sku`, [skus])
}
