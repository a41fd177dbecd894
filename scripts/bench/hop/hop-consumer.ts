import { defineConsumer } from '../../../consumers/runtime/handler.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'

/** One row per order; `times` counts the events that took effect. */
export const orderTable = `create table "order" (
  order_id text primary key, customer_id text not null, currency text not null, total_minor bigint not null,
  placed_at timestamptz not null, times integer not null) with (fillfactor = 80)`

interface Order {
  customerId: string
  currency: string
  totalMinor: number
  placedAt: number
  times: number
}

interface Row {
  order_id: string
  customer_id: string
  currency: string
  total_minor: number
  placed_at: Date
  times: number
}

const load = prepared<Row>('hop_load', 'select * from "order" where order_id = any($1)')

const save = prepared(
  'hop_save',
  `insert into "order" (order_id, customer_id, currency, total_minor, placed_at, times)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::int[])
   on conflict (order_id) do update set times = excluded.times`,
)

/** The minimal consumer: one event in, one row, one event out. */
export const hopConsumer = defineConsumer<Order>({
  group: 'hop',
  effects: 'local',
  state: {
    initial: () => ({ customerId: '', currency: '', totalMinor: 0, placedAt: 0, times: 0 }),
    async load(tx, keys) {
      return new Map(
        (await load(tx, keys)).map((row) => [
          row.order_id,
          {
            customerId: row.customer_id,
            currency: row.currency,
            totalMinor: row.total_minor,
            placedAt: row.placed_at.getTime(),
            times: row.times,
          },
        ]),
      )
    },
    async save(tx, states) {
      const orders = [...states.values()]
      await save(
        tx,
        [...states.keys()],
        orders.map(({ customerId }) => customerId),
        orders.map(({ currency }) => currency),
        orders.map(({ totalMinor }) => totalMinor),
        orders.map(({ placedAt }) => new Date(placedAt)),
        orders.map(({ times }) => times),
      )
    },
  },
  handlers: {
    OrderPlaced: ({ orderId, customerId, currency, totalMinor, placedAt }, { times }, { time }) => ({
      state: { customerId, currency, totalMinor, placedAt, times: times + 1 },
      events: [
        {
          type: 'PaymentAuthorized',
          data: {
            orderId,
            authorizationId: `auth_${orderId}`,
            amountMinor: totalMinor,
            currency,
            authorizedAt: time,
          },
        },
      ],
    }),
  },
})
