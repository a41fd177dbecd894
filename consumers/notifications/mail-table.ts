import { prepared } from '../../infra/postgres/transaction.ts'
import type { StateTable } from '../runtime/state-table.ts'
import type { Mails } from './decide-mail.ts'

const load = prepared<{ order_id: string; kinds: string[] }>(
  'mail_load',
  'select order_id, array_agg(kind) as kinds from mail where order_id = any($1) group by order_id',
)

const append = prepared(
  'mail_append',
  `insert into mail (order_id, kind, subject, event_id, time)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])`,
)

export const mailTable: StateTable<Mails> = {
  initial: () => ({ known: [], fresh: [] }),

  async load(tx, keys) {
    return new Map((await load(tx, keys)).map(({ order_id, kinds }) => [order_id, { known: kinds, fresh: [] }]))
  },

  async save(tx, states) {
    const mails = [...states].flatMap(([orderId, { fresh }]) => fresh.map((mail) => ({ orderId, ...mail })))
    await append(
      tx,
      mails.map(({ orderId }) => orderId),
      mails.map(({ kind }) => kind),
      mails.map(({ subject }) => subject),
      mails.map(({ eventId }) => eventId),
      mails.map(({ time }) => new Date(time)),
    )
  },
}
