import { prepared } from '../../infra/postgres/transaction.ts'
import type { StateTable } from '../runtime/state-table.ts'
import { emptyLine } from './decide-forwarding.ts'
import type { Line } from './decide-forwarding.ts'
import type { Message } from './message.ts'

const load = prepared<{ key: string; first: number; next: Message | null }>(
  'forwarding_load',
  `select asked.key, min(seq) as first, (array_agg(message order by seq))[2] as next
   from unnest($1::text[]) as asked (key),
     lateral (select seq, message from forwarding where key = asked.key order by seq limit 2) as waiting
   group by asked.key`,
)

const append = prepared(
  'forwarding_append',
  `insert into forwarding (key, message)
   select key, message from unnest($1::text[], $2::json[]) with ordinality as fresh (key, message, at) order by at`,
)

// Each by key: the limit keeps the planner from reading the whole table, which it believes to be small
const remove = prepared(
  'forwarding_remove',
  `delete from forwarding where ctid = any(array(
     select one.ctid from unnest($1::text[], $2::bigint[]) as done (key, seq),
       lateral (select ctid from forwarding where key = done.key and seq = done.seq limit 1) as one))`,
)

/** A key has rows only while messages of it wait, so the table is as large as the backlog. */
export const forwardingTable: StateTable<Line> = {
  initial: () => emptyLine,

  async load(tx, keys) {
    const rows = await load(tx, keys)
    return new Map(
      rows.map(({ key, first, next }) => [key, { sending: true, first, next: next ?? undefined, fresh: [] }]),
    )
  },

  async save(tx, lines) {
    const fresh = [...lines].flatMap(([key, line]) => line.fresh.map((message) => ({ key, message })))
    const confirmed = [...lines].flatMap(([key, line]) =>
      line.confirmed === undefined ? [] : [{ key, seq: line.confirmed }],
    )
    if (fresh.length > 0)
      await append(
        tx,
        fresh.map(({ key }) => key),
        fresh.map(({ message }) => (message === null ? null : JSON.stringify(message))),
      )
    if (confirmed.length > 0)
      await remove(
        tx,
        confirmed.map(({ key }) => key),
        confirmed.map(({ seq }) => seq),
      )
  },
}
