import type { Pool } from '../../../infra/postgres/pool.ts'
import { generateEvents } from '../../../producers/sample-data/event-generator.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { laneOf } from '../../../schemas/partition.ts'

/**
 * Orders that have ended long ago, with timelines of two events, in the tables of order-status: `many-1`, `many-2` … of
 * customers `M-0` to `M-999`, with tracking numbers `TLM1`, `TLM2` … Every tenth was rejected, and has none.
 * @param schema of order-status, quoted
 */
export async function fillOrders(pool: Pool, schema: string, orders: number): Promise<void> {
  for (let first = 1; first <= orders; first += ordersAtOnce)
    await fillSome(pool, schema, first, Math.min(orders, first + ordersAtOnce - 1))
  await pool.query(`vacuum analyze ${schema}.order_status, ${schema}.timeline`)
}

/** A statement must end within the time that a service grants it, on a busy machine, too. */
const ordersAtOnce = 5_000

async function fillSome(pool: Pool, schema: string, first: number, last: number): Promise<void> {
  await pool.query(
    `insert into ${schema}.order_status
     select 'many-' || n, case when n % 10 = 0 then 'rejected' else 'completed' end, null,
       array['OrderPlaced', 'ShipmentScheduled'], 'M-' || n % 1000, 'EUR', 100 + n, placed, placed + interval '2 s',
       placed + interval '2 s', 2
     from generate_series($1::int, $2::int) n, lateral (select timestamptz '2026-01-05' + n * interval '1 s' as placed) as at`,
    [first, last],
  )
  await pool.query(
    `insert into ${schema}.timeline
     select 'many-' || n, seq, gen_random_uuid(), case seq when 1 then 'OrderPlaced' else 'ShipmentScheduled' end,
       timestamptz '2026-01-05' + n * interval '1 s', null, null, null,
       case seq when 1 then '2 articles, 3 units' else 'Tally Parcel picks it up, tracking number TLM' || n end
     from generate_series($1::int, $2::int) n, generate_series(1, case when n % 10 = 0 then 1 else 2 end) seq`,
    [first, last],
  )
}

/**
 * Parked orders with valid contents, each the only event of its key, that wait for an operator for three causes.
 * @param schema of the consumer, quoted
 */
export async function fillParked(
  pool: Pool,
  schema: string,
  events: number,
  { codec, partitions }: { codec: Pick<Codec, 'encode'>; partitions: number },
): Promise<void> {
  const rows = [...generateEvents('OrderPlaced', { count: events, seed: 3 })].map((event, index) => {
    if (event.type !== 'OrderPlaced') throw new Error(`${event.type} is no order`)
    const { orderId } = event.data
    const lane = laneOf(orderId, partitions)
    const error = ['no rate for order', 'carrier has lost order', 'no address of order'][index % 3]
    return { lane, orderId, id: event.id, error: `${error} ${orderId} at attempt ${index}`, value: event.data }
  })
  const column = <V>(of: (row: (typeof rows)[number]) => V) => rows.map(of)
  await pool.query(
    `insert into ${schema}.parked
       (lane, key, source, topic, partition, "offset", event_id, type, reason, error, headers, record_time, value)
     select lane, key, 'record', 'orders', lane, 1000000 + row_number() over (), id, 'OrderPlaced', 'HANDLER_FAILED', error,
       '{}', 0, value
     from unnest($1::int[], $2::text[], $3::uuid[], $4::text[], $5::bytea[]) as row (lane, key, id, error, value)`,
    [
      column(({ lane }) => lane),
      column(({ orderId }) => orderId),
      column(({ id }) => id),
      column(({ error }) => error),
      column(({ value }) => codec.encode('OrderPlaced', value)),
    ],
  )
  await pool.query(`vacuum analyze ${schema}.parked`)
}
