import { prepared } from '../../infra/postgres/transaction.ts'
import type { Address } from '../../schemas/generated/events.ts'
import type { StateTable } from '../runtime/state-table.ts'
import type { Shipment } from './decide-shipping.ts'
import { nothingYet } from './decide-shipping.ts'

/** Used while the order gathers; null before its part arrives, and afterwards, to keep no address longer than needed. */
interface Row extends Address {
  readonly orderId: string
  readonly phase: Shipment['phase']
  readonly authorized: boolean
  readonly reserved: boolean
  readonly units: number | null
}

const load = prepared<Row>(
  'shipment_load',
  `select order_id as "orderId", phase, authorized, reserved, units,
          recipient, street, city, postal_code as "postalCode", country
   from shipment where order_id = any($1::text[])`,
)

const save = prepared(
  'shipment_save',
  `insert into shipment (order_id, phase, authorized, reserved, units, recipient, street, city, postal_code, country)
   select * from unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::integer[],
                        $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
   on conflict (order_id) do update set phase = excluded.phase,
     authorized = excluded.authorized, reserved = excluded.reserved, units = excluded.units,
     recipient = excluded.recipient, street = excluded.street, city = excluded.city,
     postal_code = excluded.postal_code, country = excluded.country`,
)

export const shipmentTable: StateTable<Shipment> = {
  initial: () => nothingYet,

  async load(tx, orderIds) {
    const rows = await load(tx, orderIds)
    return new Map(rows.map((row) => [row.orderId, toShipment(row)]))
  },

  async save(tx, shipments) {
    const rows = [...shipments.values()].map(toColumns)
    await save(
      tx,
      [...shipments.keys()],
      rows.map((row) => row.phase),
      rows.map((row) => row.authorized),
      rows.map((row) => row.reserved),
      rows.map((row) => row.units),
      rows.map((row) => row.recipient),
      rows.map((row) => row.street),
      rows.map((row) => row.city),
      rows.map((row) => row.postalCode),
      rows.map((row) => row.country),
    )
  },
}

function toColumns(shipment: Shipment): Partial<Row> {
  if (shipment.phase !== 'gathering') return shipment
  const { consignment, ...rest } = shipment
  return { ...rest, units: consignment?.units, ...consignment?.shipTo }
}

function toShipment({ phase, authorized, reserved, units, ...row }: Row): Shipment {
  if (phase !== 'gathering') return { phase }
  if (units === null) return { phase, authorized, reserved }
  const { recipient, street, city, postalCode, country } = row
  return {
    phase,
    authorized,
    reserved,
    consignment: { shipTo: { recipient, street, city, postalCode, country }, units },
  }
}
