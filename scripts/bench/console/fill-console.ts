import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'

/** The states of a pipeline at rest, for each hundred orders. */
const status = `case when n % 100 < 90 then 'completed' when n % 100 < 95 then 'rejected' else 'cancelled' end`

/** A statement has a time limit. */
const perStatement = 10_000

/**
 * Writes what the services would have written of ended orders and of events that they could not handle, a tenth as many:
 * a few causes, ten events a key. No topic has their records.
 */
export async function fillConsole({ namespace, config, pool }: Sandbox, orders: number): Promise<void> {
  const schema = schemaName(namespace, 'order-status')
  for (let from = 1; from <= orders; from += perStatement) {
    const to = Math.min(orders, from + perStatement - 1)
    await pool.query(
      `insert into ${schema}.order_status
       (order_id, status, seen, customer_id, currency, total_minor, placed_at, updated_at, ended_at, entries)
     select 'o-' || n, ${status}, '{OrderPlaced}', 'c-' || n % 5000, 'EUR', 100 + n, at, at + '1 s', at + '1 s', 1
     from generate_series($1::int, $2::int) as n, lateral (select now() - make_interval(secs => n)) as placed (at)`,
      [from, to],
    )
    await pool.query(
      `insert into ${schema}.timeline (order_id, seq, event_id, type, time, topic, partition, "offset", summary)
     select 'o-' || n, 1, gen_random_uuid(), 'OrderPlaced', now(), 'orders', n % $3::int, n / $3::int, 'placed'
     from generate_series($1::int, $2::int) as n`,
      [from, to, config.partitions],
    )
  }
  await pool.query(
    `insert into ${schema}.parked
       (lane, key, source, topic, partition, "offset", event_id, type, reason, error, headers, value, last_attempt_at)
     select lane, 'o-' || n / 10, 'record', 'orders', lane, n / $2::int, gen_random_uuid(), 'OrderPlaced',
       case when n % 10 = 0 then 'HANDLER_FAILED' else 'BEHIND' end,
       case when n % 10 = 0 then 'cause ' || chr(65 + n / 10 % 5) || ': the handler failed' end, '{}', '\\x00', now()
     from generate_series(0, $1::int - 1) as n, lateral (select n / 10 % $2::int) as own (lane)`,
    [Math.ceil(orders / 10), config.partitions],
  )
  for (const table of ['order_status', 'timeline', 'parked']) await pool.query(`vacuum (analyze) ${schema}.${table}`)
}
