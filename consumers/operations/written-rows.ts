import type { Tx } from '../../infra/postgres/transaction.ts'

/** Numbers of rows written to a table. */
export interface TableChange {
  readonly table: string
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

/** Rows written by this connection in this transaction, and in earlier ones that the server has not counted yet. */
export async function writtenRows(tx: Tx): Promise<TableChange[]> {
  const { rows } = await tx.query<TableChange>(
    `select relname as table, n_tup_ins as inserted, n_tup_upd as updated, n_tup_del as deleted
     from pg_stat_xact_user_tables where schemaname = current_schema() order by relname`,
  )
  return rows
}

/** Rows written between two readings, without untouched tables. */
export function writtenSince(before: readonly TableChange[], after: readonly TableChange[]): TableChange[] {
  const earlier = new Map(before.map((row) => [row.table, row]))
  return after
    .map(({ table, inserted, updated, deleted }) => {
      const { inserted: i = 0, updated: u = 0, deleted: d = 0 } = earlier.get(table) ?? {}
      return { table, inserted: inserted - i, updated: updated - u, deleted: deleted - d }
    })
    .filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0)
}
