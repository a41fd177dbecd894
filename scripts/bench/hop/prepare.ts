import { consumerMigrations, schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { maintainInbox } from '../../../consumers/runtime/tables/inbox/partitions.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import type { Ground } from '../benchmark.ts'
import { countTopic } from '../count-topic.ts'
import { assertCount } from '../fill-orders.ts'
import { hopConsumer, orderTable } from './hop-consumer.ts'

/** The tables of one replica's group. @returns their schema */
export async function prepareOurTables({ config, namespace, log }: Sandbox): Promise<string> {
  const schema = schemaName(namespace, hopConsumer.group)
  const { url } = config.postgres
  await migrate({ url, schema, folders: consumerMigrations(hopConsumer.group), log })
  const pool = createPool({ url, schema, name: 'prepare', max: 1, log })
  try {
    await maintainInbox(pool)
    await pool.query(orderTable)
  } finally {
    await pool.end()
  }
  return schema
}

/** The same tables without lanes, ledger and all that. @returns their schema */
export async function preparePeerTables({ pool, namespace }: Sandbox): Promise<string> {
  const schema = `${namespace}peer`
  await pool.query(`create schema ${schema}`)
  await pool.query(orderTable.replace('"order"', `${schema}."order"`))
  await pool.query(
    `create table ${schema}.inbox (event_id uuid primary key, taken_at timestamptz not null default now())`,
  )
  await pool.query(`create table ${schema}.outbox (id bigint generated always as identity primary key, event_id uuid not null,
    topic text not null, key text not null, value bytea not null)`)
  return schema
}

/** @throws TallyError INVARIANT unless each event is remembered, has changed its order and was published, once */
export async function assertHop(ground: Ground, schema: string): Promise<void> {
  const { sandbox, events } = ground
  const { rows } = await sandbox.pool.query<{ ids: string }>(`select count(*) as ids from ${schema}.inbox`)
  assertCount('ids in the inbox', Number(rows[0]?.ids), events)
  await assertEffects(ground, schema)
}

/** @throws TallyError INVARIANT unless each event has changed its order and was published, once */
export async function assertEffects({ sandbox, events, signal }: Ground, schema: string): Promise<void> {
  const { rows } = await sandbox.pool.query<{ orders: string; times: string }>(
    `select count(*) as orders, sum(times) as times from ${schema}."order"`,
  )
  assertCount('orders', Number(rows[0]?.orders), events)
  assertCount('effects on orders', Number(rows[0]?.times), events)
  await assertPublished({ sandbox, events, signal })
}

/** @throws TallyError INVARIANT unless there is one event on the output for each on the input */
export async function assertPublished({ sandbox, events, signal }: Pick<Ground, 'sandbox' | 'events' | 'signal'>) {
  const { records, ids, keys } = await countTopic(sandbox, 'payments', signal)
  assertCount('records published', records, events)
  assertCount('different ids published', ids, events)
  assertCount('different keys published', keys, events)
}
