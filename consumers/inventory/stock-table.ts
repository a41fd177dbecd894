import { prepared } from '../../infra/postgres/transaction.ts'
import type { SharedTable } from '../runtime/state-table.ts'
import type { Reservation, Stock } from './decide-inventory.ts'
import { skusConcerned } from './decide-inventory.ts'

const lock = prepared<Stock & { sku: string }>(
  'stock_lock',
  `select sku, on_hand as "onHand", reserved, shipped, replenished
   from stock where sku = any($1::text[]) order by sku for update`,
)

const save = prepared(
  'stock_save',
  `insert into stock (sku, on_hand, reserved, shipped, replenished)
   select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
   on conflict (sku) do update set on_hand = excluded.on_hand, reserved = excluded.reserved,
     shipped = excluded.shipped, replenished = excluded.replenished`,
)

/** Stock per article. Only the article's first delivery, in the lane of its SKU, creates the row. */
export const stockTable: SharedTable<Stock, Reservation> = {
  ids: (_type, data, reservation) => skusConcerned(data, reservation),

  async lock(tx, skus) {
    const rows = await lock(tx, skus)
    return new Map(rows.map(({ sku, ...stock }) => [sku, stock]))
  },

  async save(tx, stock) {
    const rows = [...stock.values()]
    await save(
      tx,
      [...stock.keys()],
      rows.map((row) => row.onHand),
      rows.map((row) => row.reserved),
      rows.map((row) => row.shipped),
      rows.map((row) => row.replenished),
    )
  },
}
