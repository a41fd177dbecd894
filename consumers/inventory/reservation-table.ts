import { arrayLiteral } from '../../infra/postgres/array-literal.ts'
import { prepared } from '../../infra/postgres/transaction.ts'
import type { StockLine } from '../../schemas/generated/events.ts'
import type { StateTable } from '../runtime/state-table.ts'
import type { Reservation } from './decide-inventory.ts'
import { unplaced } from './decide-inventory.ts'

interface Row {
  readonly orderId: string
  readonly phase: Reservation['phase']
  readonly skus: readonly string[]
  readonly quantities: readonly number[]
}

const load = prepared<Row>(
  'reservation_load',
  'select order_id as "orderId", phase, skus, quantities from reservation where order_id = any($1::text[])',
)

// unnest flattens arrays of arrays, so the inner ones are sent as text
const save = prepared(
  'reservation_save',
  `insert into reservation (order_id, phase, skus, quantities)
   select order_id, phase, skus::text[], quantities::integer[]
   from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as t (order_id, phase, skus, quantities)
   on conflict (order_id) do update set phase = excluded.phase, skus = excluded.skus, quantities = excluded.quantities`,
)

export const reservationTable: StateTable<Reservation> = {
  initial: () => unplaced,

  async load(tx, orderIds) {
    const rows = await load(tx, orderIds)
    return new Map(rows.map((row) => [row.orderId, toReservation(row)]))
  },

  async save(tx, reservations) {
    const rows = [...reservations.values()]
    const lines = rows.map((row): readonly StockLine[] => ('lines' in row ? row.lines : []))
    await save(
      tx,
      [...reservations.keys()],
      rows.map((row) => row.phase),
      lines.map((of) => arrayLiteral(of.map(({ sku }) => sku))),
      lines.map((of) => arrayLiteral(of.map(({ quantity }) => quantity))),
    )
  },
}

function toReservation({ phase, skus, quantities }: Row): Reservation {
  switch (phase) {
    case 'reserved':
    case 'released':
    case 'shipped':
      return { phase, lines: skus.map((sku, index) => ({ sku, quantity: quantities[index] as number })) }
    default:
      return { phase }
  }
}
