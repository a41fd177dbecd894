import { consumerMigrations, schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { maintainInbox } from '../../../consumers/runtime/tables/inbox/partitions.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { subjectOf, topicOf } from '../../../schemas/topics.ts'
import type { Ground } from '../benchmark.ts'
import { countTopic } from '../count-topic.ts'
import { assertCount } from '../fill-orders.ts'
import { hopConsumer, orderTable } from './hop-consumer.ts'

/** Creates the tables of the hop's consumer. @returns their schema */
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

/** Creates an order table, an inbox and an outbox for a peer. @returns their schema */
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

/** Parameters of a peer that reads orders and publishes events of `type`. */
export const peerParameters = ({ config, namespace }: Sandbox, type: EventType) => ({
  brokers: config.kafka.brokers,
  registryUrl: config.registry.url,
  databaseUrl: config.postgres.url,
  input: `${namespace}orders`,
  output: `${namespace}${topicOf(type).name}`,
  subject: subjectOf(namespace, type),
})

/** @throws TallyError INVARIANT unless each event is in the inbox, changed its order once and was published once */
export async function assertHop(ground: Ground, schema: string): Promise<void> {
  const { sandbox, events } = ground
  const { rows } = await sandbox.pool.query<{ ids: string }>(`select count(*) as ids from ${schema}.inbox`)
  assertCount('ids in the inbox', Number(rows[0]?.ids), events)
  await assertEffects(ground, schema)
}

/** @throws TallyError INVARIANT unless each event changed its order once and was published once */
export async function assertEffects({ sandbox, events, signal }: Ground, schema: string): Promise<void> {
  const { rows } = await sandbox.pool.query<{ orders: string; times: string }>(
    `select count(*) as orders, sum(times) as times from ${schema}."order"`,
  )
  assertCount('orders', Number(rows[0]?.orders), events)
  assertCount('effects on orders', Number(rows[0]?.times), events)
  await assertPublished({ sandbox, events, signal })
}

/** @throws TallyError INVARIANT unless the output has one event for each input event */
export async function assertPublished({ sandbox, events, signal }: Pick<Ground, 'sandbox' | 'events' | 'signal'>) {
  const { records, ids, keys } = await countTopic(sandbox, 'payments', signal)
  assertCount('records published', records, events)
  assertCount('different ids published', ids, events)
  assertCount('different keys published', keys, events)
}
