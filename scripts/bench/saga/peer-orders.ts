import { setTimeout as sleep } from 'node:timers/promises'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { demoCatalogue } from '../../../producers/sample-data/demo-catalogue.ts'

const readEveryMs = 100

/** Creates the tables of a peer: orders with a status, prices and stock. */
export async function preparePeerOrders({ pool }: Sandbox, schema: string): Promise<void> {
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

/** Reports each captured order once, with the time of its end in epoch milliseconds, until it is disposed of. */
export function watchPeerOrders(
  { pool }: Sandbox,
  schema: string,
  ended: (orderId: string, at: number) => void,
): AsyncDisposable {
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
    for (; !stop.signal.aborted; await sleep(readEveryMs)) await readEnds().catch(() => {}) // A busy machine: again
  })()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await reading
    },
  }
}
