import { join } from 'node:path'
import type { PoolClient } from 'pg'
import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import { migrate } from '../../infra/postgres/migrate.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import type { SealingKey } from '../../infra/security/sealed-text.ts'
import type { EventData } from '../../schemas/generated/events.ts'
import { CustomerKeys } from '../../infra/security/customer-keys/customer-keys.ts'
import { changePersonal, sealEvent } from '../../schemas/personal-data.ts'
import { ordersSchema } from '../orders-api/migrations.ts'
import type { Event } from '../sample-data/event-generator.ts'
import type { PlannedOrder } from './plan-import.ts'

export type Delivery = Extract<Event, { type: 'StockReplenished' }>
type Order = Extract<Event, { type: 'OrderPlaced' }>

export interface ImportedOrder {
  source: string
  orderNumber: string
  orderId: string
  data: EventData['OrderPlaced']
  /** Its customer was forgotten, and with them the address. */
  forgotten?: boolean
  importedAt: Date
}

const rowsAtOnce = 1_000
const importLock = 7_311_094

/**
 * What has been imported into a namespace, in a schema of its own. Events are recorded before they are sent: an import that was
 * killed is completed by the next one, with the same ids.
 */
export class ImportBook implements AsyncDisposable {
  private readonly pool: Pool
  private readonly holder: PoolClient
  private readonly keys: CustomerKeys

  private constructor(pool: Pool, holder: PoolClient, keys: CustomerKeys) {
    this.pool = pool
    this.holder = holder
    this.keys = keys
  }

  /** @throws TallyError BUSY while another import into the namespace runs */
  static async open({ namespace, postgres: { url } }: Config, log: Logger): Promise<ImportBook> {
    const schema = `${namespace}imports`
    await migrate({ url, schema, folders: [{ name: 'import', path: join(import.meta.dirname, 'sql') }], log })
    const pool = createPool({ url, schema, name: 'tally-import-book', max: 2, log })
    const holder = await pool.connect()
    const { rows } = await holder.query<{ held: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as held', [
      importLock,
      schema,
    ])
    if (rows[0]?.held) return new ImportBook(pool, holder, new CustomerKeys(ordersSchema(namespace)))
    holder.release()
    await pool.end()
    throw new TallyError('BUSY', 'Another import runs: start this one when it has ended')
  }

  /** The orders of a source that were imported before, by number. */
  async find(source: string, numbers: readonly string[]): Promise<Map<string, ImportedOrder>> {
    const { rows } = await this.pool.query<ImportedOrder>(
      `select source, order_number as "orderNumber", order_id as "orderId", data, imported_at as "importedAt"
       from imported_order where source = $1 and order_number in (select json_array_elements_text($2::json))`,
      [source, JSON.stringify(numbers)],
    )
    const found = new Map<string, ImportedOrder>()
    for (const row of rows) found.set(row.orderNumber, await this.opened(row))
    return found
  }

  /** Orders of all sources by their number, or by their order id. */
  async lookUp(names: readonly string[]): Promise<ImportedOrder[]> {
    const { rows } = await this.pool.query<ImportedOrder>(
      `select source, order_number as "orderNumber", order_id as "orderId", data, imported_at as "importedAt"
       from imported_order, json_array_elements_text($1::json) as name
       where order_number = name or order_id = name order by order_number, source`,
      [JSON.stringify(names)],
    )
    return rows
  }

  /** Units that all imports have ordered and delivered so far, by article. */
  async units(): Promise<{ ordered: Map<string, number>; delivered: Map<string, number> }> {
    type Units = { sku: string; units: number }
    const [ordered, delivered] = await Promise.all([
      this.pool.query<Units>(
        `select line->>'sku' as sku, sum((line->>'quantity')::bigint)::bigint as units
         from imported_order, jsonb_array_elements(data->'lines') as line group by 1`,
      ),
      this.pool.query<Units>('select sku, sum(quantity)::bigint as units from imported_delivery group by sku'),
    ])
    const bySku = ({ rows }: { rows: Units[] }) => new Map(rows.map(({ sku, units }) => [sku, units]))
    return { ordered: bySku(ordered), delivered: bySku(delivered) }
  }

  /** Records in one transaction what is about to be sent. */
  async record(orders: readonly PlannedOrder[], deliveries: readonly Delivery[]): Promise<void> {
    // Before the transaction: it has the only connection left
    const keys = await this.findKeys(orders.map(({ event }) => event.data.customerId))
    await inTransaction(this.pool, async (tx) => {
      const gone = await this.keys.hold(tx, [...keys.values()])
      if (gone.length > 0) throw new TallyError('BUSY', 'A customer is being forgotten: repeat the import')
      for (let at = 0; at < orders.length; at += rowsAtOnce) {
        const rows = orders.slice(at, at + rowsAtOnce).map(({ source, orderNumber, event: { id, data } }) => ({
          source,
          order_number: orderNumber,
          order_id: data.orderId,
          event_id: id,
          data: sealEvent(keys.get(data.customerId) as SealingKey, 'OrderPlaced', data),
        }))
        await tx.query(
          `insert into imported_order (source, order_number, order_id, event_id, data)
           select * from json_to_recordset($1::json)
             as r(source text, order_number text, order_id text, event_id text, data jsonb)`,
          [JSON.stringify(rows)],
        )
      }
      const rows = deliveries.map(({ id, data }) => ({
        event_id: id,
        sku: data.sku,
        quantity: data.quantity,
        replenished_at: data.replenishedAt,
      }))
      await tx.query(
        `insert into imported_delivery (event_id, sku, quantity, replenished_at)
         select * from json_to_recordset($1::json) as r(event_id text, sku text, quantity int, replenished_at bigint)`,
        [JSON.stringify(rows)],
      )
    })
  }

  /** What is recorded and perhaps not sent: also what an import that was killed has left. */
  async unsent(): Promise<{ orders: Order[]; deliveries: Delivery[] }> {
    const [orders, deliveries] = await Promise.all([
      this.pool.query<{ id: string; data: Order['data'] }>(
        'select event_id as id, data from imported_order where not sent order by source, order_number',
      ),
      this.pool.query<Delivery['data'] & { id: string }>(
        `select event_id as id, sku, quantity, replenished_at as "replenishedAt" from imported_delivery where not sent`,
      ),
    ])
    return {
      orders: orders.rows.map(({ id, data }) => ({ type: 'OrderPlaced', id, data })),
      deliveries: deliveries.rows.map(({ id, ...data }) => ({ type: 'StockReplenished', id, data })),
    }
  }

  /** Call it when Kafka has acknowledged everything unsent. */
  async markSent(): Promise<void> {
    await inTransaction(this.pool, async (tx) => {
      await tx.query('update imported_order set sent = true where not sent')
      await tx.query('update imported_delivery set sent = true where not sent')
    })
  }

  private async findKeys(customerIds: readonly string[]): Promise<Map<string, SealingKey>> {
    const keys = new Map<string, SealingKey>()
    for (let at = 0; at < customerIds.length; at += rowsAtOnce) {
      const found = await this.keys.find(this.pool, customerIds.slice(at, at + rowsAtOnce))
      for (const [id, key] of found) keys.set(id, key)
    }
    return keys
  }

  /** With its address readable; without one if its customer was forgotten. */
  private async opened(order: ImportedOrder): Promise<ImportedOrder> {
    const texts: string[] = []
    changePersonal('OrderPlaced', order.data, (text) => (texts.push(text), text))
    const opened = await this.keys.open(this.pool, texts)
    let at = 0
    const data = changePersonal('OrderPlaced', order.data, () => opened?.texts[at++] ?? '')
    return { ...order, data, forgotten: texts.join('') === '' || opened === undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.holder.release(true) // Its end releases the lock
    await this.pool.end()
  }
}
