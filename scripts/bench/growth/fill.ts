import { rememberedMs } from '../../../consumers/runtime/tables/inbox/weeks.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import type { Ground } from '../benchmark.ts'

const perStatement = 1_000_000

/** Number of rows in the tables before the run. */
export interface Filling {
  readonly ids: number
  readonly waiting: number
}

/** A kind of inbox: the ids it holds and its table. */
export interface InboxKind {
  /** Statements that create the empty table. */
  readonly empty: readonly string[]
  /** Inserts ids number $3 to $4 of $1, the oldest $2 ms old. */
  readonly insert: string
  /** Statements to run after filling. */
  readonly complete: readonly string[]
}

/** Tally's: ids that begin with the time of their event, spread over the weeks that the inbox keeps, oldest first. */
export const timed: InboxKind = {
  empty: [],
  insert: `insert into inbox (event_id, taken_at)
    select uuidv7(age), now() + age
    from (select make_interval(secs => $2::float8 / -1000 * (1 - n / $1::float8)) as age
          from generate_series($3::bigint, $4::bigint) as n)`,
  complete: [],
}

/**
 * The common kind: random ids in one table, in the format that the runtime gives to ids without a time. The index is built
 * afterwards, which is faster, with the free space in its pages that random inserts would leave.
 */
export const random: InboxKind = {
  empty: [
    'drop table inbox',
    'create table inbox (event_id uuid not null, taken_at timestamptz not null default now())',
  ],
  insert: `insert into inbox (event_id, taken_at)
    select overlay(gen_random_uuid()::text placing 'ffffffff-ffff-8' from 1 for 15)::uuid,
      now() + make_interval(secs => $2::float8 / -1000 * (1 - n / $1::float8))
    from generate_series($3::bigint, $4::bigint) as n`,
  complete: ['alter table inbox add primary key (event_id) with (fillfactor = 70)'],
}

/** Rows of lanes that the run does not use, as an ended replica leaves them. They stay unpublished. */
const wait = `insert into outbox_batch (lane, first_seq, last_seq, topic, compression, bytes, records)
  select $1::int + n % $1::int, n / $1::int + 1, n / $1::int + 1, 'payments', 0, 500, decode(repeat('00', 500), 'hex')
  from generate_series(0, $2::bigint - 1) as n`

/**
 * Fills the tables of a schema, then updates statistics and writes a checkpoint.
 * @returns size of the inbox with its indexes, bytes
 */
export async function fill(
  { sandbox, signal }: Pick<Ground, 'sandbox' | 'signal'>,
  schema: string,
  { empty, insert, complete }: InboxKind,
  { ids, waiting }: Filling,
): Promise<number> {
  return patiently(sandbox, schema, async (client) => {
    for (const statement of empty) await client.query(statement)
    for (let from = 1; from <= ids; from += perStatement) {
      signal.throwIfAborted()
      await client.query(insert, [ids, rememberedMs, from, Math.min(ids, from + perStatement - 1)])
    }
    for (const statement of complete) await client.query(statement)
    await client.query(wait, [sandbox.config.partitions, waiting])
    for (const statement of ['vacuum (analyze) inbox', 'vacuum (analyze) outbox', 'checkpoint'])
      await client.query(statement)
    const { rows } = await client.query<{ bytes: string }>(
      `select sum(pg_total_relation_size(oid)) as bytes from pg_class
       where relnamespace = current_schema::regnamespace and relkind = 'r' and starts_with(relname, 'inbox')`,
    )
    return Number(rows[0]?.bytes)
  })
}

/** Counts the ids in the inbox of a schema. */
export const countIds = (sandbox: Sandbox, schema: string): Promise<number> =>
  patiently(sandbox, schema, async (client) => {
    const { rows } = await client.query<{ ids: number }>('select count(*) as ids from inbox')
    return rows[0]?.ids ?? 0
  })

/** Uses a connection without a statement timeout. */
export async function patiently<T>(
  { config, log }: Sandbox,
  schema: string,
  work: (client: Tx) => Promise<T>,
): Promise<T> {
  const pool = createPool({ url: config.postgres.url, schema, name: 'growth', max: 1, answerWithinMs: 3_600_000, log })
  const client = await pool.connect()
  try {
    await client.query('set statement_timeout = 0')
    return await work(client)
  } finally {
    client.release()
    await pool.end()
  }
}
