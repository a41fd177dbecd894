import { setTimeout as delay } from 'node:timers/promises'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { followOwner } from '../../../../infra/postgres/owners.ts'
import { hasSqlState } from '../../../../infra/postgres/sqlstates.ts'
import { conditionOf, rangeOf } from './weeks.ts'
import type { Partition } from './weeks.ts'

/** Partitions to replace and their replacements. Both cover the same ids. */
export interface Roll {
  readonly old: readonly string[]
  readonly next: readonly Partition[]
  /** Ids taken before this time are forgotten, UTC epoch ms. */
  readonly horizon: number
}

/** For tests. */
export interface RollOptions {
  /** Called before the copy: batches already mirror. */
  mirrored?(): Promise<void>
  /** Called between the copy and the swap. */
  copied?(): Promise<void>
}

const staging = 'inbox_next'
/** Ids that batches removed while the copy was made. */
const removed = 'inbox_removed'
/** Blocks of 8 kB per copying statement: at most some 40,000 ids. */
const sliceBlocks = 250
/** Batches queue behind a pending lock request: this bounds their wait. */
const lockWithinMs = 75
/** For lock requests that delay no batch. */
const uncontendedMs = 5_000
const attempts = 60
const pauseMs = 500

/**
 * Replaces partitions of the inbox while batches use it. The new tables are filled beside the inbox: triggers on the
 * old partitions mirror concurrent inserts and deletes, and the ids to keep are copied in slices. Then one short
 * transaction detaches the old tables and attaches the new ones. It looks at no row but those that batches removed,
 * because the new tables have check constraints that imply their ranges. So the time for which it locks the inbox does
 * not depend on the number of ids.
 * @param db the connection that holds the maintainer's lock, so that the work ends if the lock is lost
 * @returns how long the inbox was locked, ms
 */
export async function rollInbox(db: Tx, roll: Roll, { mirrored, copied }: RollOptions = {}): Promise<number> {
  await clearRoll(db)
  await transaction(db, () => prepare(db, roll.next))
  for (const table of roll.old)
    await patiently(() =>
      transaction(db, async () => {
        await lockForChange(db, [table])
        await db.query(
          `create trigger inbox_mirror after insert or delete on ${table} for each row execute function inbox_mirror()`,
        )
      }),
    )
  await mirrored?.()
  for (const table of roll.old) await copy(db, table, roll.horizon)
  await copied?.()
  const lockedMs = await patiently(() => transaction(db, () => swap(db, roll)))
  await clearRoll(db)
  return lockedMs
}

/** Removes the leftovers of a roll, whether it was completed or its process died. */
export async function clearRoll(db: Tx): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = current_schema::regnamespace and relkind in ('r', 'p')
       and (relname in ('${staging}', '${removed}') or relname like 'inbox%gone')`,
  )
  if (rows.length === 0) return
  await patiently(() =>
    transaction(db, async () => {
      // Only an unfinished roll has triggers on tables in use
      await lockWithin(db, rows.some(({ name }) => name === staging) ? lockWithinMs : uncontendedMs)
      // In one transaction: a trigger without its target table would make every batch fail
      await db.query('drop function if exists inbox_mirror() cascade')
      for (const { name } of rows) await db.query(`drop table ${name}`)
    }),
  )
}

async function prepare(db: Tx, next: readonly Partition[]): Promise<void> {
  await db.query(
    `create table ${staging} (like inbox including defaults, primary key (event_id)) partition by range (event_id);
     create table ${removed} (event_id uuid)`,
  )
  for (const partition of next) {
    const table = `${partition.name}_next`
    await db.query(
      `create table ${table} partition of inbox_next (constraint ${table}_range check (${conditionOf(partition)})) for values ${rangeOf(partition)}`,
    )
    if (partition.aged) await db.query(`create index on ${table} (taken_at)`)
  }
  await db.query(
    `create or replace function inbox_mirror() returns trigger language plpgsql set search_path from current as $$ begin
       if tg_op = 'DELETE' then
         delete from inbox_next where event_id = old.event_id;
         insert into ${removed} values (old.event_id);
       else
         insert into inbox_next values (new.*) on conflict (event_id) do update set taken_at = excluded.taken_at;
       end if;
       return null; end $$`,
  )
  const { rows } = await db.query<{ schema: string }>('select quote_ident(current_schema) as schema')
  for (const { schema } of rows) await followOwner(db, schema) // The trigger acts as the role of a batch
}

/** Copies the ids that existed when the trigger was created. */
async function copy(db: Tx, table: string, horizon: number): Promise<void> {
  const { rows } = await db.query<{ blocks: number }>(
    `select pg_relation_size('${table}') / current_setting('block_size')::int as blocks`,
  )
  const blocks = rows[0]?.blocks ?? 0
  // Locks no row: each lock would write to its page, most pages have a row to keep, and the batches share the disk
  const slice = `insert into inbox_next select * from ${table}
    where ctid >= $1::tid and ctid < $2::tid and taken_at >= to_timestamp($3 / 1000.0) on conflict do nothing`
  for (let block = 0; block < blocks; block += sliceBlocks) {
    const begunAt = performance.now()
    const range = [`(${block},0)`, `(${block + sliceBlocks},0)`, horizon]
    await transaction(db, () => db.query(slice, range))
    await delay(performance.now() - begunAt) // Half of the disk's time belongs to the batches
  }
}

/** @returns how long the inbox was locked, ms */
async function swap(db: Tx, { old, next }: Roll): Promise<number> {
  const made = next.map(({ name }) => `${name}_next`)
  await lockForChange(db, [...old, ...made, staging, removed])
  await db.query('lock table only inbox in access exclusive mode')
  const begunAt = performance.now()
  const statements = [
    // What a batch removed between being read and being written. By key, because no statistics know these tables
    `set local enable_seqscan = off`,
    `delete from ${staging} using ${removed} where ${staging}.event_id = ${removed}.event_id
       and not exists (select from inbox where inbox.event_id = ${removed}.event_id)`,
    ...old.flatMap((table) => [
      `alter table inbox detach partition ${table}`,
      `alter table ${table} rename to ${table}_gone`,
    ]),
    ...next.flatMap((partition) => {
      const { name } = partition
      return [
        `alter table inbox_next detach partition ${name}_next`,
        `alter table ${name}_next rename to ${name}`,
        `alter table inbox attach partition ${name} for values ${rangeOf(partition)}`,
        `alter table ${name} drop constraint ${name}_next_range`,
      ]
    }),
  ]
  statements.push('drop function inbox_mirror() cascade', `drop table ${staging}, ${removed}`)
  await db.query(statements.join(';\n'))
  return performance.now() - begunAt
}

/** Call before a lock that delays batches. Ends a vacuum of these tables, which yields only to a wait of one second. */
async function lockForChange(db: Tx, tables: readonly string[]): Promise<void> {
  await lockWithin(db, uncontendedMs)
  await db.query(`lock table ${tables.map((table) => `only ${table}`).join(', ')} in share update exclusive mode`)
  await lockWithin(db, lockWithinMs)
}

const lockWithin = (db: Tx, ms: number) => db.query(`set local lock_timeout = ${ms}`)

/**
 * Commits without a wait for the disk, so that the locks of the swap go sooner. Nothing can be lost by that: the log is
 * written in order, so a batch that has seen a change commits after it, and a roll of which a crash took the end begins again.
 */
async function transaction<T>(db: Tx, work: () => Promise<T>): Promise<T> {
  await db.query('begin; set local synchronous_commit = off')
  try {
    const result = await work()
    await db.query('commit')
    return result
  } catch (error) {
    await db.query('rollback')
    throw error
  }
}

/** Retries the work while it fails because batches hold a lock. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === attempts || !hasSqlState(error, 'lockNotAvailable')) throw error
      await delay(pauseMs * Math.random())
    }
  }
}
