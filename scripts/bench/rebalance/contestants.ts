import { join } from 'node:path'
import type { Sandbox } from '../../../infra/testing/sandbox.ts'
import { subjectOf } from '../../../schemas/topics.ts'
import type { Ground } from '../benchmark.ts'
import { hopConsumer } from '../hop/hop-consumer.ts'
import { prepareOurTables, preparePeerTables } from '../hop/prepare.ts'
import { startService } from '../start-service.ts'
import type { Service } from '../start-service.ts'

/** A group whose replicas take orders and publish an event for each. */
export interface Contestant {
  readonly group: string
  /** Where its tables `inbox` and `order` are. */
  readonly schema: string
  startReplica(): Promise<Service>
}

export type Prepare = (ground: Ground) => Promise<Contestant>

const path = (file: string) => join(import.meta.dirname, file)

export const ours: Prepare = async (ground) => {
  const { sandbox } = ground
  return {
    group: `${sandbox.namespace}${hopConsumer.group}`,
    schema: await prepareOurTables(sandbox),
    startReplica: () => startService(ground, path('ours.ts')),
  }
}

export const kafkajsGroup: Prepare = async (ground) => {
  const { sandbox } = ground
  const { config, namespace } = sandbox
  const schema = await preparePeerTables(sandbox)
  const group = `${namespace}peer`
  const order = {
    brokers: config.kafka.brokers,
    registryUrl: config.registry.url,
    databaseUrl: config.postgres.url,
    input: `${namespace}orders`,
    output: `${namespace}payments`,
    subject: subjectOf(namespace, 'PaymentAuthorized'),
    sessionTimeout: config.kafka.sessionTimeoutMs,
    ...{ schema, group },
  }
  const args = [JSON.stringify(order)]
  return { group, schema, startReplica: () => startService(ground, path('../peers/kafkajs-group.ts'), { args }) }
}

/** Of the effects in the database. */
export interface Effects {
  readonly orders: number
  /** How often an order took effect, all together. */
  readonly times: number
}

export async function countEffects({ pool }: Pick<Sandbox, 'pool'>, schema: string): Promise<Effects> {
  const { rows } = await pool.query<{ orders: string; times: string | null }>(
    `select count(*) as orders, sum(times) as times from ${schema}."order"`,
  )
  return { orders: Number(rows[0]?.orders), times: Number(rows[0]?.times ?? 0) }
}

export const peerSetup =
  'kafkajs 2.2.4 eachMessage, a transaction with inbox and outbox row each, published after it; same session time, heartbeats in a third of it, round robin'
