import { prepared } from '../../infra/postgres/transaction.ts'
import type { Tx } from '../../infra/postgres/transaction.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import type { StateTable } from '../runtime/state-table.ts'
import { unseen } from './decide-order-status.ts'
import type { OrderStatus, Shipment, Status } from './decide-order-status.ts'

interface Row {
  order_id: string
  status: Status
  reason: string | null
  seen: EventType[]
  customer_id: string | null
  currency: string | null
  total_minor: number | null
  placed_at: Date | null
  shipment: Shipment | null
  updated_at: Date
  ended_at: Date | null
  entries: number
}

const load = prepared<Row>('order_status_load', 'select * from order_status where order_id = any($1)')

const saveOrders = prepared(
  'order_status_save',
  `insert into order_status as o
     (order_id, status, reason, seen, customer_id, currency, total_minor, placed_at, updated_at, ended_at, entries,
      shipment)
   select order_id, status, reason, string_to_array(seen, ','), customer_id, currency, total_minor,
          to_timestamp(placed_at / 1000), to_timestamp(updated_at / 1000), to_timestamp(ended_at / 1000), entries, shipment
   from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
               $8::double precision[], $9::double precision[], $10::double precision[], $11::int[], $12::json[])
     as new (order_id, status, reason, seen, customer_id, currency, total_minor, placed_at, updated_at, ended_at, entries,
             shipment)
   on conflict (order_id) do update set
     status = excluded.status, reason = excluded.reason, seen = excluded.seen, customer_id = excluded.customer_id,
     currency = excluded.currency, total_minor = excluded.total_minor, placed_at = excluded.placed_at,
     updated_at = excluded.updated_at, ended_at = excluded.ended_at, entries = excluded.entries,
     shipment = excluded.shipment, stored_at = now()`,
)

const appendTimeline = prepared(
  'timeline_append',
  `insert into timeline (order_id, seq, event_id, type, time, topic, partition, "offset", summary)
   select order_id, seq, event_id, type, to_timestamp(time / 1000), topic, partition, "offset", summary
   from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::double precision[], $6::text[], $7::int[], $8::bigint[],
               $9::text[]) as new (order_id, seq, event_id, type, time, topic, partition, "offset", summary)`,
)

/** Gives entries of known events a new summary. */
const correctTimeline = prepared<{ order_id: string; event_id: string }>(
  'timeline_correct',
  `update timeline as entry set summary = new.summary
   from unnest($1::text[], $2::text[], $3::text[]) as new (order_id, event_id, summary)
   where entry.order_id = any($1) and entry.order_id = new.order_id and entry.event_id = new.event_id
   returning entry.order_id, entry.event_id`,
)

const findEnded = prepared<{ order_id: string }>(
  'order_status_ended',
  `select order_id from order_status where ctid >= $1::tid and ctid < $2::tid
     and ended_at is not null and stored_at < now() - make_interval(days => $3)`,
)

const removeEnded = prepared<{ orders: number }>(
  'order_status_retire',
  `with gone as (
     delete from order_status where order_id = any($1) and ended_at is not null
       and stored_at < now() - make_interval(days => $2) returning order_id),
   entries as (delete from timeline where order_id = any($1) and order_id in (select order_id from gone))
   select count(*)::int as orders from gone`,
)

/** One row per order, and its append-only timeline. */
export const orderStatusTable: StateTable<OrderStatus> = {
  retention: {
    table: 'order_status',
    find: async (tx, { from, to }, days) => (await findEnded(tx, from, to, days)).map(({ order_id }) => order_id),
    remove: async (tx, keys, days) => (await removeEnded(tx, keys, days))[0]?.orders ?? 0,
  },

  initial: () => unseen,

  async load(tx: Tx, keys) {
    return new Map((await load(tx, keys)).map((row) => [row.order_id, fromRow(row)]))
  },

  async save(tx: Tx, states) {
    const orders = await withoutKnownEntries(tx, [...states])
    const order = <V>(value: (state: OrderStatus) => V) => orders.map(([, state]) => value(state))
    await saveOrders(
      tx,
      orders.map(([orderId]) => orderId),
      order(({ status }) => status),
      order(({ reason }) => reason),
      order(({ seen }) => seen.join(',')),
      order((state) => state.order?.customerId),
      order((state) => state.order?.currency),
      order((state) => state.order?.totalMinor),
      order((state) => state.order?.placedAt),
      order(({ updatedAt }) => updatedAt),
      order(({ endedAt }) => endedAt),
      order(({ entries }) => entries),
      order(({ shipment }) => shipment && JSON.stringify(shipment)),
    )
    const entries = orders.flatMap(([orderId, { fresh }]) => fresh.map((entry) => ({ orderId, ...entry })))
    const entry = <V>(value: (entry: (typeof entries)[number]) => V) => entries.map(value)
    await appendTimeline(
      tx,
      entry(({ orderId }) => orderId),
      entry(({ seq }) => seq),
      entry(({ eventId }) => eventId),
      entry(({ type }) => type),
      entry(({ time }) => time),
      entry(({ at }) => at?.topic),
      entry(({ at }) => at?.partition),
      entry(({ at }) => at?.offset),
      entry(({ summary }) => summary),
    )
  },
}

/**
 * Corrects entries of events that are in the timeline already, and leaves them out of what is appended. Only an event of
 * a type that was seen before can be one, so usually this asks nothing.
 */
async function withoutKnownEntries(tx: Tx, orders: [string, OrderStatus][]): Promise<[string, OrderStatus][]> {
  const repeats = orders.flatMap(([orderId, { fresh }]) =>
    fresh.flatMap(({ repeatsType, eventId, summary }) => (repeatsType ? [{ orderId, eventId, summary }] : [])),
  )
  if (repeats.length === 0) return orders
  const corrected = await correctTimeline(
    tx,
    repeats.map(({ orderId }) => orderId),
    repeats.map(({ eventId }) => eventId),
    repeats.map(({ summary }) => summary),
  )
  const known = new Set(corrected.map(({ order_id, event_id }) => `${order_id} ${event_id}`))
  return orders.map(([orderId, state]) => {
    const before = state.entries - state.fresh.length
    const fresh = state.fresh
      .filter(({ eventId }) => !known.has(`${orderId} ${eventId}`))
      .map((entry, at) => ({ ...entry, seq: before + at + 1 }))
    return [orderId, { ...state, entries: before + fresh.length, fresh }]
  })
}

const fromRow = (row: Row): OrderStatus => ({
  status: row.status,
  reason: row.reason,
  seen: row.seen,
  order: row.placed_at && {
    customerId: row.customer_id ?? '',
    currency: row.currency ?? '',
    totalMinor: row.total_minor ?? 0,
    placedAt: row.placed_at.getTime(),
  },
  shipment: row.shipment,
  updatedAt: row.updated_at.getTime(),
  endedAt: row.ended_at?.getTime() ?? null,
  entries: row.entries,
  fresh: [],
})
