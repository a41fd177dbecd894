import { generationTable } from '../../../infra/topic-generations/generation-table.ts'
import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'

/** A stored generation. */
export interface GenerationRow extends Generation {
  readonly actor: string
  readonly why: string | null
  readonly beganAt: Date
  /** Undefined while it is being prepared. */
  readonly switchedAt: Date | null
  /** When the topics of the previous generation were closed to writers. */
  readonly sealedAt: Date | null
  /** End offsets of the previous topics at the switch, by topic and partition. Later records were written after it. */
  readonly cut: Readonly<Record<string, readonly number[]>> | null
}

/** All generations, one that is being prepared last. */
export async function readRows(tx: Tx, namespace: string): Promise<GenerationRow[]> {
  const { rows } = await tx.query<GenerationRow>(
    `select number, partitions, actor, why, began_at as "beganAt", switched_at as "switchedAt", sealed_at as "sealedAt", cut
     from ${generationTable(namespace)} order by number`,
  )
  return rows
}

/** Records that a generation is being prepared. Repeating it changes nothing. */
export async function noteBegun(
  tx: Tx,
  namespace: string,
  { number, partitions, actor, why }: Generation & { actor: string; why?: string },
): Promise<void> {
  await tx.query(
    `insert into ${generationTable(namespace)} (number, partitions, actor, why) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [number, partitions, actor, why],
  )
}

/**
 * Makes a prepared generation the current one.
 * @throws TallyError BUSY if another process has done so, or cancelled it
 */
export async function noteSwitched(
  tx: Tx,
  namespace: string,
  { number }: Generation,
  cut: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  const { rowCount } = await tx.query(
    `update ${generationTable(namespace)} set switched_at = now(), cut = $2 where number = $1 and switched_at is null`,
    [number, JSON.stringify(Object.fromEntries(cut))],
  )
  if (rowCount === 0) throw new TallyError('BUSY', elsewhere)
}

const elsewhere = 'another process has switched or cancelled it meanwhile: look again'

export async function noteSealed(tx: Tx, namespace: string, { number }: Generation): Promise<void> {
  await tx.query(`update ${generationTable(namespace)} set sealed_at = now() where number = $1`, [number])
}

/**
 * Deletes a generation that was prepared but not switched to.
 * @throws TallyError BUSY if another process has switched to it or deleted it
 */
export async function forgetBegun(tx: Tx, namespace: string, { number }: Generation): Promise<void> {
  const text = `delete from ${generationTable(namespace)} where number = $1 and switched_at is null`
  const { rowCount } = await tx.query(text, [number])
  if (rowCount === 0) throw new TallyError('BUSY', elsewhere)
}

/**
 * Runs the work while no other process changes the partitions or deploys: a consumer deployed in the meantime would be
 * left with lanes of the old topics. Concurrent changes would do no harm, because the switch is one transaction.
 * @throws TallyError BUSY if another process is changing the partitions or deploying
 */
export const exclusively = <T>(pool: Pool, namespace: string, work: () => Promise<T>): Promise<T> =>
  locked(pool, namespace, 'pg_try_advisory_lock', 'Another process is changing the partitions or deploying', work)

/**
 * Runs the work while no process changes the partitions. Several processes may do so at the same time.
 * @throws TallyError BUSY if a process is changing the partitions
 */
export const whileUnchanged = <T>(pool: Pool, namespace: string, work: () => Promise<T>): Promise<T> =>
  locked(pool, namespace, 'pg_try_advisory_lock_shared', 'The partitions are being changed: deploy after that', work)

async function locked<T>(
  pool: Pool,
  namespace: string,
  lock: 'pg_try_advisory_lock' | 'pg_try_advisory_lock_shared',
  otherwise: string,
  work: () => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  const key = `'${generationTable(namespace)}'::regclass::oid::int4, 0`
  try {
    const { rows } = await client.query<{ held: boolean }>(`select ${lock}(${key}) as held`)
    if (!rows[0]?.held) throw new TallyError('BUSY', otherwise)
    return await work()
  } finally {
    client.release(true) // Closing the connection releases the lock
  }
}
