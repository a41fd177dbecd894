import type { Config } from '../../../infra/config.ts'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { schemaName } from '../../runtime/load-consumer.ts'

/** Where orders of a customer are listed: tables of the database that exist, quoted, and how each names the customer. */
export interface OrderTables {
  /** Of the orders API. */
  readonly orders: string
  readonly placed: string
  /** Undefined before the first import. */
  readonly imported: string | undefined
  /** Undefined before order-status is deployed. */
  readonly status: string | undefined
  /** Calls to the carrier; undefined before shipping is deployed. */
  readonly calls: string | undefined
}

export async function findOrderTables(db: Pool | Tx, { namespace }: Config): Promise<OrderTables> {
  const table = (group: string, name: string) => `${quoteIdentifier(schemaName(namespace, group))}.${name}`
  const names = {
    imported: table('imports', 'imported_order'),
    status: table('order-status', 'order_status'),
    calls: table('shipping', 'call'),
  }
  const { rows } = await db.query<{ name: string }>(
    'select name from unnest($1::text[]) as name where to_regclass(name) is not null',
    [Object.values(names)],
  )
  const there = (name: string) => (rows.some((row) => row.name === name) ? name : undefined)
  return {
    orders: quoteIdentifier(schemaName(namespace, 'orders')),
    placed: table('orders', 'placed_order'),
    ...{ imported: there(names.imported), status: there(names.status), calls: there(names.calls) },
  }
}

/** Selects the ids of a customer's ($1) orders, whichever way they came. */
const ofCustomer = ({ placed, imported, status }: OrderTables): string =>
  [
    `select order_id from ${placed} where customer_id = $1`,
    ...(status ? [`select order_id from ${status} where customer_id = $1`] : []),
    ...(imported ? [`select order_id from ${imported} where data->>'customerId' = $1`] : []),
  ].join(' union ')

export const readOrderIds = async (db: Pool | Tx, tables: OrderTables, customerId: string): Promise<string[]> =>
  (await db.query<{ order_id: string }>(ofCustomer(tables), [customerId])).rows.map(({ order_id }) => order_id)

/** Orders that still need their address: those that have not ended, or whose call to the carrier has no answer. */
export async function readOpenOrders(
  db: Pool | Tx,
  tables: OrderTables,
  customerId: string,
  keyIds: readonly number[],
): Promise<string[]> {
  const ended = tables.status
    ? `exists (select from ${tables.status} as s where s.order_id = o.order_id and s.ended_at is not null)`
    : 'false'
  const { rows } = await db.query<{ order_id: string }>(
    `select order_id from (${ofCustomer(tables)}) as o where not ${ended} order by order_id`,
    [customerId],
  )
  const waiting = tables.calls
    ? await db.query<{ key: string }>(
        `select distinct key from ${tables.calls} join unnest($1::bigint[]) as sealed (id)
         on request::text like '%"sealed:1:' || sealed.id || ':%'`,
        [keyIds],
      )
    : { rows: [] }
  return [...new Set([...rows.map(({ order_id }) => order_id), ...waiting.rows.map(({ key }) => key)])]
}
