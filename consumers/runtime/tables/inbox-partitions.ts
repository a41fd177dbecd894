import { describeError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import type { Logger } from '../../../infra/logger.ts'

export const weekMs = 7 * 24 * 3_600_000
/** Day 0 was a Thursday; weeks begin on Monday. */
const firstMondayMs = 4 * 24 * 3_600_000

/**
 * How long ids are remembered, in weeks before the current one: longer than any topic's retention plus the time an event
 * may wait in an outbox, so that the inbox knows every event Kafka can still deliver.
 */
export const rememberedWeeks = 3
/** The same in milliseconds. */
export const rememberedMs = rememberedWeeks * weekMs
const weeksAhead = 4

/**
 * Creates the inbox's partitions for the coming weeks and drops those before the horizon. Ids outside the weeks kept
 * (`inbox_past`, `inbox_future`; the latter also has ids without a time) are deleted by age.
 * Several processes may run it at once, after any pause. It gives up after 500 ms if another transaction has locked the inbox.
 * @param now UTC epoch ms; @default the database's clock, because a replica's may be wrong
 */
export async function maintainInbox(pool: Pool, now?: number): Promise<void> {
  const time = now ?? (await databaseTime(pool))
  const horizon = time - rememberedMs
  await inTransaction(pool, (tx) => arrangeWeeks(tx, time, horizon))
  await expire(pool, horizon)
}

async function arrangeWeeks(tx: Tx, now: number, horizon: number): Promise<void> {
  const current = Math.floor((now - firstMondayMs) / weekMs)
  const first = current - rememberedWeeks
  const last = current + weeksAhead
  // Batches queue behind this lock: bounds their wait
  await tx.query(`set local lock_timeout = '500ms'`)
  await tx.query(`select pg_advisory_xact_lock(hashtext(current_schema || '.inbox'))`)
  const existing = await existingWeeks(tx)
  const newest = existing.at(-1)
  if (newest === undefined) return create(tx, first, last)
  const old = existing.filter((week) => week < first)
  if (newest < last || old.length > 0)
    await moveOn(tx, { old, next: Math.max(newest + 1, first), first, last, horizon })
}

/** Deletes ids outside the weeks by age, in slices so that no statement runs long. */
async function expire(pool: Pool, horizon: number): Promise<void> {
  for (const table of ['inbox_past', 'inbox_future']) {
    const slice = `delete from ${table} where ctid = any (array(
      select ctid from ${table} where taken_at < to_timestamp($1 / 1000.0) limit 10000))`
    while ((await pool.query(slice, [horizon])).rowCount === 10_000);
  }
}

async function databaseTime(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ now: Date }>('select now()')
  return rows[0]?.now.getTime() ?? Date.now()
}

const everyMs = 6 * 3_600_000
const retryMs = 60_000

/**
 * Maintains the inbox now and every six hours; a deployment has done so before.
 * @returns stops it
 */
export function keepInbox(pool: Pool, log: Logger): () => void {
  let timer: NodeJS.Timeout | undefined
  const maintain = async () => {
    const next = await maintainInbox(pool).then(
      () => everyMs,
      (error: unknown) => {
        log.warn({ error: describeError(error) }, 'inbox partitions could not be maintained, retrying in a minute')
        return retryMs
      },
    )
    if (!stopped) timer = setTimeout(() => void maintain(), next)
  }
  let stopped = false
  void maintain()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}

async function existingWeeks(tx: Tx): Promise<number[]> {
  const { rows } = await tx.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'inbox'::regclass`,
  )
  return rows.flatMap(({ name }) => (name.startsWith('inbox_w') ? [Number(name.slice(7))] : [])).sort((a, b) => a - b)
}

const addWeek = (tx: Tx, week: number) =>
  tx.query(
    `create table inbox_w${week} partition of inbox for values from ('${boundOf(week)}') to ('${boundOf(week + 1)}')`,
  )

async function create(tx: Tx, first: number, last: number): Promise<void> {
  for (let week = first; week <= last; week++) await addWeek(tx, week)
  await tx.query(`create table inbox_past partition of inbox for values from (minvalue) to ('${boundOf(first)}')`)
  await tx.query(`create table inbox_future partition of inbox for values from ('${boundOf(last + 1)}') to (maxvalue)`)
  for (const table of ['inbox_past', 'inbox_future']) await tx.query(`create index on ${table} (taken_at)`)
}

interface Move {
  /** Weeks to drop. */
  old: readonly number[]
  /** The first week to create, and the range of weeks there are afterwards. */
  next: number
  first: number
  last: number
  /** UTC epoch ms. */
  horizon: number
}

/**
 * Creates new weeks and drops old ones. No id taken since the horizon is lost: new weeks get their ids from `inbox_future`,
 * and `inbox_past` keeps ids of the dropped weeks that were taken late (a chain of events may be older than its end).
 */
async function moveOn(tx: Tx, { old, next, first, last, horizon }: Move): Promise<void> {
  const begin = boundOf(first)
  const end = boundOf(last + 1)
  await tx.query('alter table inbox detach partition inbox_past')
  await tx.query('alter table inbox detach partition inbox_future')
  for (const week of old) {
    const late = `insert into inbox_past select * from inbox_w${week} where taken_at >= to_timestamp($1 / 1000.0)`
    await tx.query(late, [horizon])
    await tx.query(`drop table inbox_w${week}`)
  }
  for (let week = next; week <= last; week++) await addWeek(tx, week)
  const moved = 'with moved as (delete from inbox_future where event_id < $1 returning *)'
  await tx.query(`${moved} insert into inbox_past select * from moved`, [begin])
  await tx.query(`${moved} insert into inbox select * from moved`, [end])
  await tx.query(`alter table inbox attach partition inbox_past for values from (minvalue) to ('${begin}')`)
  await tx.query(`alter table inbox attach partition inbox_future for values from ('${end}') to (maxvalue)`)
}

/** The smallest id with a time in that week: its 48-bit time, then zeros. */
function boundOf(week: number): string {
  const hex = (week * weekMs + firstMondayMs).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}
