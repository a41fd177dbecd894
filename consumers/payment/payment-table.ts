import { prepared } from '../../infra/postgres/transaction.ts'
import type { StateTable } from '../runtime/state-table.ts'
import type { Hold, Payment, Verdict } from './decide-payment.ts'
import { unplaced } from './decide-payment.ts'

/** Columns besides `phase`; those that a phase does not use are null. */
interface Row extends Hold {
  readonly orderId: string
  readonly phase: Payment['phase']
  readonly verdict: Verdict
}

const load = prepared<Row>(
  'payment_load',
  `select order_id as "orderId", phase, verdict, authorization_id as "authorizationId",
          amount_minor as "amountMinor", currency
   from payment where order_id = any($1::text[])`,
)

const save = prepared(
  'payment_save',
  `insert into payment (order_id, phase, verdict, authorization_id, amount_minor, currency)
   select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])
   on conflict (order_id) do update set phase = excluded.phase, verdict = excluded.verdict,
     authorization_id = excluded.authorization_id, amount_minor = excluded.amount_minor, currency = excluded.currency`,
)

export const paymentTable: StateTable<Payment> = {
  initial: () => unplaced,

  async load(tx, orderIds) {
    const rows = await load(tx, orderIds)
    return new Map(rows.map((row) => [row.orderId, toPayment(row)]))
  },

  async save(tx, payments) {
    const rows = [...payments.values()].map((payment): Partial<Row> => payment)
    await save(
      tx,
      [...payments.keys()],
      rows.map((row) => row.phase),
      rows.map((row) => row.verdict),
      rows.map((row) => row.authorizationId),
      rows.map((row) => row.amountMinor),
      rows.map((row) => row.currency),
    )
  },
}

function toPayment({ phase, verdict, authorizationId, amountMinor, currency }: Row): Payment {
  switch (phase) {
    case 'unplaced':
      return { phase, verdict: verdict === 'capture' ? 'capture' : 'open' }
    case 'closed':
    case 'declined':
      return { phase }
    case 'authorizing':
      return { phase, verdict, amountMinor, currency }
    default:
      return { phase, authorizationId, amountMinor, currency }
  }
}
