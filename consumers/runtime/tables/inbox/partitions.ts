import type { PoolClient } from 'pg'
import { describeError } from '../../../../infra/errors.ts'
import type { Logger } from '../../../../infra/logger.ts'
import { databaseTime } from '../../../../infra/postgres/database-time.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { clearRoll, rollInbox } from './roll.ts'
import type { RollOptions } from './roll.ts'
import {
  futurePartition,
  pastPartition,
  rangeOf,
  rememberedMs,
  untimedPartition,
  weekPartition,
  weeksAround,
} from './weeks.ts'
import type { Partition, Weeks } from './weeks.ts'

/** Result of maintaining the inbox. */
export interface Maintained {
  /** Another process is maintaining it, so nothing was done. */
  readonly busy?: boolean
  /** How long batches could not use the inbox, milliseconds; set if partitions were replaced. */
  readonly lockedMs?: number
}

/**
 * Creates the inbox's partitions for the coming weeks and removes those before the horizon. It uses the database's
 * clock, because a host's clock may be wrong. Ids outside the retained weeks (`inbox_past`, `inbox_future`) and ids
 * without a time (`inbox_untimed`) are deleted by age. Several processes may call it; only one does the work.
 */
export const maintainInbox = (pool: Pool): Promise<Maintained> => maintainInboxAt(pool, undefined)

/** `maintainInbox` at a given time, for tests. @param now UTC epoch ms */
export async function maintainInboxAt(
  pool: Pool,
  now: number | undefined,
  options: RollOptions = {},
): Promise<Maintained> {
  const time = now ?? (await databaseTime(pool))
  await createOnce(pool, weeksAround(time))
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    const { rows } = await client.query<{ held: boolean }>(`select pg_try_advisory_lock(${lockKey}) as held`)
    if (!rows[0]?.held) return { busy: true }
    try {
      return await maintain(client, time, options)
    } finally {
      await client.query(`select pg_advisory_unlock(${lockKey})`).catch((error: Error) => (broken = error))
    }
  } finally {
    client.release(broken)
  }
}

/** Must not change: older versions take the same lock. */
const lockKey = `hashtext(current_schema || '.inbox')`

/** Creates the first partitions; the lock serializes concurrent deployments. */
async function createOnce(pool: Pool, weeks: Weeks): Promise<void> {
  if ((await existingPartitions(pool)).length > 0) return
  await inTransaction(pool, async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtext(current_schema || '.inbox.create'))`)
    if ((await existingPartitions(tx)).length > 0) return
    const partitions = [pastPartition(weeks), ...newWeeks(weeks, weeks.first), futurePartition(weeks), untimedPartition]
    for (const partition of partitions) {
      await tx.query(`create table ${partition.name} partition of inbox for values ${rangeOf(partition)}`)
      if (partition.aged) await tx.query(`create index on ${partition.name} (taken_at)`)
    }
  })
}

const newWeeks = ({ last }: Weeks, from: number): Partition[] =>
  Array.from({ length: last - from + 1 }, (_, index) => weekPartition(from + index))

async function maintain(client: PoolClient, now: number, options: RollOptions): Promise<Maintained> {
  const horizon = now - rememberedMs
  await clearRoll(client)
  const lockedMs = await moveOn(client, weeksAround(now), horizon, options)
  for (const { name } of [{ name: 'inbox_past' }, { name: 'inbox_future' }, untimedPartition])
    await expire(client, name, horizon)
  return { lockedMs }
}

/**
 * Creates new weeks and removes old ones. No id added since the horizon is lost: new weeks get their ids from
 * `inbox_future`, and `inbox_past` keeps ids of the removed weeks that were added late (a chain of events may last for
 * weeks).
 */
async function moveOn(db: Tx, weeks: Weeks, horizon: number, options: RollOptions): Promise<number | undefined> {
  const existing = await existingPartitions(db)
  const numbers = existing.flatMap((name) => (name.startsWith('inbox_w') ? [Number(name.slice(7))] : []))
  const newest = Math.max(...numbers)
  const old = numbers.filter((week) => week < weeks.first).map((week) => `inbox_w${week}`)
  const untimed = existing.includes(untimedPartition.name)
  if (newest >= weeks.last && old.length === 0 && untimed) return undefined
  const reached = { ...weeks, last: Math.max(newest, weeks.last) }
  return rollInbox(
    db,
    {
      old: ['inbox_past', ...old, 'inbox_future'],
      next: [
        pastPartition(reached),
        ...newWeeks(reached, Math.max(newest + 1, weeks.first)),
        futurePartition(reached),
        ...(untimed ? [] : [untimedPartition]), // Older versions kept such ids in `inbox_future`
      ],
      horizon,
    },
    options,
  )
}

/** Deletes ids by age, in slices so that no statement runs long. */
async function expire(db: Tx, table: string, horizon: number): Promise<void> {
  const slice = `delete from ${table} where ctid = any (array(
    select ctid from ${table} where taken_at < to_timestamp($1 / 1000.0) limit 10000))`
  while ((await db.query(slice, [horizon])).rowCount === 10_000);
}

async function existingPartitions(db: Tx): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'inbox'::regclass`,
  )
  return rows.map(({ name }) => name)
}

const everyMs = 6 * 3_600_000
const retryMs = 60_000

/**
 * Maintains the inbox now and every six hours. Each deployment also maintains it once.
 * @returns a function that stops the maintenance
 */
export function keepInbox(pool: Pool, log: Logger): () => void {
  let timer: NodeJS.Timeout | undefined
  const keep = async () => {
    const next = await maintainInbox(pool).then(
      () => everyMs,
      (error: unknown) => {
        log.warn({ error: describeError(error) }, 'inbox partitions could not be maintained, retrying in a minute')
        return retryMs
      },
    )
    if (!stopped) timer = setTimeout(() => void keep(), next)
  }
  let stopped = false
  void keep()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
