import { describeError } from '../../infra/errors.ts'
import type { Pool, Tx } from '../../infra/postgres.ts'
import { inTransaction } from '../../infra/postgres.ts'
import type { Logger } from '../../infra/telemetry.ts'

const weekMs = 7 * 24 * 3_600_000
/** Day 0 was a Thursday; weeks begin on Monday. */
const firstMondayMs = 4 * 24 * 3_600_000

/**
 * How long ids are remembered, in weeks before the current one: longer than any topic's retention plus the time an event
 * may wait in an outbox, so that whatever Kafka can still deliver is known.
 */
export const rememberedWeeks = 3
const weeksAhead = 4

/**
 * Makes the inbox's partitions for the weeks to come and forgets those before the horizon: ids of a week leave in one
 * stroke. Ids of no kept week (`inbox_past`, `inbox_future`; the latter also has those without a time) leave by age.
 * Safe to run by several processes at once, at any interval up to `weeksAhead`.
 * @param now UTC epoch ms
 */
export async function maintainInbox(pool: Pool, now: number): Promise<void> {
  const current = Math.floor((now - firstMondayMs) / weekMs)
  const first = current - rememberedWeeks
  const last = current + weeksAhead
  await inTransaction(pool, async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtext(current_schema || '.inbox'))`)
    const existing = await existingWeeks(tx)
    const oldest = existing[0]
    const newest = existing.at(-1)
    if (oldest === undefined || newest === undefined) {
      for (let week = first; week <= last; week++) await addWeek(tx, week)
      await tx.query(`create table inbox_past partition of inbox for values from (minvalue) to ('${boundOf(first)}')`)
      await tx.query(
        `create table inbox_future partition of inbox for values from ('${boundOf(last + 1)}') to (maxvalue)`,
      )
      return
    }
    if (newest < last) await extend(tx, newest, last)
    if (oldest < first)
      await forget(
        tx,
        existing.filter((week) => week < first),
        Math.max(first, oldest),
      )
    await tx.query(
      `delete from inbox where (event_id < $1 or event_id >= $2) and taken_at < to_timestamp($3 / 1000.0)`,
      [boundOf(first), boundOf(Math.max(newest, last) + 1), now - rememberedWeeks * weekMs],
    )
  })
}

const everyMs = 6 * 3_600_000

/**
 * Maintains the inbox now and every few hours.
 * @returns ends it
 * @throws what the first time throws
 */
export async function keepInbox(pool: Pool, log: Logger): Promise<() => void> {
  await maintainInbox(pool, Date.now())
  const timer = setInterval(() => {
    maintainInbox(pool, Date.now()).catch((error: unknown) =>
      log.warn({ error: describeError(error) }, 'inbox partitions not maintained, trying again later'),
    )
  }, everyMs)
  return () => clearInterval(timer)
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

/** New weeks take over from `inbox_future` the ids that lie in them, so that a repeat still finds them. */
async function extend(tx: Tx, newest: number, last: number): Promise<void> {
  await tx.query('alter table inbox detach partition inbox_future')
  for (let week = newest + 1; week <= last; week++) await addWeek(tx, week)
  const end = boundOf(last + 1)
  await tx.query(
    `with moved as (delete from inbox_future where event_id < $1 returning *) insert into inbox select * from moved`,
    [end],
  )
  await tx.query(`alter table inbox attach partition inbox_future for values from ('${end}') to (maxvalue)`)
}

async function forget(tx: Tx, weeks: readonly number[], first: number): Promise<void> {
  for (const week of weeks) await tx.query(`drop table inbox_w${week}`)
  await tx.query('alter table inbox detach partition inbox_past')
  await tx.query(`alter table inbox attach partition inbox_past for values from (minvalue) to ('${boundOf(first)}')`)
}

/** The least id with a time in that week: its 48-bit time, then zeros. */
function boundOf(week: number): string {
  const hex = (week * weekMs + firstMondayMs).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}
