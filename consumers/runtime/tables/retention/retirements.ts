import type { Config } from '../../../../infra/config.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { lockLaneAsOperator } from '../../../../producers/outbox/lane-table.ts'
import { laneOf } from '../../../../schemas/partition.ts'
import type { Retention } from '../../state-table.ts'
import type { Retirement } from './sweep.ts'

const count = (tx: Tx, lane: number, what: string, detail: string, rows: number) =>
  tx.query(
    `insert into retired as r values ($1, $2, $3, $4)
     on conflict (lane, what, detail) do update set rows = r.rows + excluded.rows`,
    [lane, what, detail, rows],
  )

/** Audit rows of events that are no longer parked. What was done with parked events stays as long as they do. */
export const retireAudits = (days: number): Retirement => ({
  what: 'audit',
  table: 'parked_audit',
  async retire(tx, { from, to }) {
    const { rows } = await tx.query<{ lane: number; detail: string; rows: number }>(
      `with gone as (
         delete from parked_audit a where ctid >= $1::tid and ctid < $2::tid
           and at < now() - make_interval(days => $3) and not exists (select from parked where id = a.parked_id)
         returning lane, action, source)
       select lane, action || ' ' || source as detail, count(*)::int as rows from gone group by 1, 2 order by 1, 2`,
      [from, to, days],
    )
    for (const { lane, detail, rows: deleted } of rows) await count(tx, lane, 'audit', detail, deleted)
    return rows.reduce((sum, { rows: deleted }) => sum + deleted, 0)
  },
})

/** Rows of keys that have ended. Their lanes are locked: a batch that has read a row must not lose it. */
export const retireState = ({ table, find, remove }: Retention, partitions: number, days: number): Retirement => ({
  what: 'state',
  table,
  async retire(tx, blocks) {
    const keys = await find(tx, blocks, days)
    const lanes = Map.groupBy(keys, (key) => laneOf(key, partitions))
    let deleted = 0
    for (const [lane, ofLane] of [...lanes].sort(([a], [b]) => a - b)) {
      await lockLaneAsOperator(tx, lane)
      const rows = await remove(tx, ofLane, days)
      if (rows > 0) await count(tx, lane, 'state', table, rows)
      deleted += rows
    }
    return deleted
  },
})

/** What leaves by the settings. */
export function retirementsOf(
  { state }: { readonly state: { readonly retention?: Retention } },
  { retention: { ordersDays, auditDays }, partitions }: Pick<Config, 'retention' | 'partitions'>,
): Retirement[] {
  return [
    ...(auditDays === undefined ? [] : [retireAudits(auditDays)]),
    ...(ordersDays === undefined || !state.retention ? [] : [retireState(state.retention, partitions, ordersDays)]),
  ]
}
