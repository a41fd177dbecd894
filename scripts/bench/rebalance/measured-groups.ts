import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { Ground } from '../benchmark.ts'
import { hopConsumer } from '../hop/hop-consumer.ts'
import { prepareStreams, streamsGroup } from '../hop/kafka-streams.ts'
import { peerParameters, prepareOurTables, preparePeerTables } from '../hop/prepare.ts'
import { startProgram, startService } from '../start-service.ts'
import type { Service } from '../start-service.ts'
import { readOutput } from './read-output.ts'

/** A consumer group whose replicas process orders and publish an event for each. */
export interface MeasuredGroup {
  /** Consumer group id. */
  readonly id: string
  effects(): Promise<Effects>
  startReplica(): Promise<Service>
  [Symbol.asyncDispose]?(): Promise<void>
}

export type Prepare = (ground: Ground, codec: Codec) => Promise<MeasuredGroup>

const path = (file: string) => join(import.meta.dirname, file)

export const ours: Prepare = async (ground) => {
  const { sandbox } = ground
  const schema = await prepareOurTables(sandbox)
  return {
    id: `${sandbox.namespace}${hopConsumer.group}`,
    effects: () => countEffects(sandbox, schema),
    startReplica: () => startService(ground, path('ours.ts')),
  }
}

export const kafkajsGroup: Prepare = async (ground) => {
  const { sandbox } = ground
  const { config, namespace } = sandbox
  const schema = await preparePeerTables(sandbox)
  const group = `${namespace}peer`
  const parameters = {
    ...peerParameters(sandbox, 'PaymentAuthorized'),
    sessionTimeout: config.kafka.sessionTimeoutMs,
    ...{ schema, group },
  }
  const args = [JSON.stringify(parameters)]
  return {
    id: group,
    effects: () => countEffects(sandbox, schema),
    startReplica: () => startService(ground, path('../peers/kafkajs-group.ts'), { args }),
  }
}

/** Its effects are counted by the events it publishes, each in the transaction of its effect. */
export const streams: Prepare = async (ground, codec) => {
  const { sandbox, signal } = ground
  const { kafka, namespace } = sandbox
  const program = await prepareStreams(ground, codec)
  const stateDirs = await mkdtemp(join(tmpdir(), 'tally-bench-'))
  const { sessionTimeoutMs: sessionTimeout } = sandbox.config.kafka
  let replicas = 0
  return {
    id: streamsGroup(namespace),
    async effects() {
      const { keys, records } = await readOutput({ kafka, namespace }, 'payments', signal)
      return { orders: keys, times: records }
    },
    startReplica() {
      const name = `streams-${++replicas}`
      return startProgram(ground, name, program({ stateDir: join(stateDirs, name), threads: 1, sessionTimeout }))
    },
    [Symbol.asyncDispose]: () => rm(stateDirs, { recursive: true, force: true }),
  }
}

/** Counts of effects. */
export interface Effects {
  readonly orders: number
  /** Total number of effects of all orders. */
  readonly times: number
}

async function countEffects({ pool }: Pick<Sandbox, 'pool'>, schema: string): Promise<Effects> {
  const { rows } = await pool.query<{ orders: string; times: string | null }>(
    `select count(*) as orders, sum(times) as times from ${schema}."order"`,
  )
  return { orders: Number(rows[0]?.orders), times: Number(rows[0]?.times ?? 0) }
}

export const peerSetup =
  'kafkajs 2.2.4 eachMessage, one transaction with inbox and outbox row per event, then a publish; same session timeout, heartbeats every third of it, round robin'

export const streamsSetup =
  'Kafka Streams 4.3.1, exactly_once_v2, RocksDB, one thread per replica, commits every 100 ms; same session timeout, heartbeats every third of it, transactions time out with the session'
