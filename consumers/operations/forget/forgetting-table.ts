import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'

/** That a customer was forgotten, by whom and why. */
export interface Forgetting {
  readonly id: number
  readonly customerId: string
  readonly actor: string
  readonly why: string
  readonly beganAt: Date
  /** Null while clear text from before there were keys may be left. */
  readonly endedAt: Date | null
}

const columns = 'id, customer_id as "customerId", actor, why, began_at as "beganAt", ended_at as "endedAt"'

/** All forgettings, or those of one customer; newest first. @param schema of the orders API, quoted */
export async function readForgettings(db: Pool | Tx, schema: string, customerId?: string): Promise<Forgetting[]> {
  const { rows } = await db.query<Forgetting>(
    `select ${columns} from ${schema}.forgetting where $1::text is null or customer_id = $1 order by id desc`,
    [customerId ?? null],
  )
  return rows
}

export async function noteForgetting(
  tx: Tx,
  schema: string,
  { customerId, actor, why }: Pick<Forgetting, 'customerId' | 'actor' | 'why'>,
): Promise<number> {
  const { rows } = await tx.query<{ id: number }>(
    `insert into ${schema}.forgetting (customer_id, actor, why) values ($1, $2, $3) returning id`,
    [customerId, actor, why],
  )
  return rows[0]?.id ?? 0
}

export const endForgetting = (pool: Pool, schema: string, id: number, result: object): Promise<unknown> =>
  pool.query(`update ${schema}.forgetting set ended_at = now(), result = $2 where id = $1`, [
    id,
    JSON.stringify(result),
  ])

/** Locks the live keys of a customer: until the transaction ends, no order can be written with them. */
export async function lockKeys(tx: Tx, schema: string, customerId: string): Promise<number[]> {
  const { rows } = await tx.query<{ id: number }>(
    `select id from ${schema}.customer_key where customer_id = $1 and key is not null for update`,
    [customerId],
  )
  return rows.map(({ id }) => id)
}

export const eraseKeys = (tx: Tx, schema: string, ids: readonly number[]): Promise<unknown> =>
  tx.query(`update ${schema}.customer_key set key = null, erased_at = now() where id = any($1::bigint[])`, [ids])
