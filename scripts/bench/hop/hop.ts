import { join } from 'node:path'
import { subjectOf } from '../../../schemas/topics.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { fillOrders, prepareTopics } from '../fill-orders.ts'
import { kafkaStreams } from './kafka-streams.ts'
import { assertEffects, assertHop, prepareOurTables, preparePeerTables } from './prepare.ts'
import { runProgram, script } from '../run-program.ts'

export const hop: Benchmark = {
  name: 'hop',
  what: 'Take events from a topic: remember the id, write a row, store an event in the outbox; publish that to a topic.',
  unit: 'events/s',
  events: { usual: 500_000, quick: 30_000 },
  contenders: [
    { name: 'tally', setup: 'one replica, 12 lanes', measure: ours },
    {
      name: 'kafka streams',
      setup:
        'Kafka Streams 4.3.1, exactly_once_v2, two RocksDB stores with changelogs, 2 threads, commits every 100 ms',
      measure: kafkaStreams,
    },
    {
      name: 'kafkajs, 12 at once',
      setup: 'kafkajs 2.2.4 eachMessage, partitionsConsumedConcurrently 12, a transaction each, prepared statements',
      share: 0.08,
      measure: (ground) => eachMessage(ground, 12),
    },
    {
      name: 'kafkajs, one at a time',
      setup: 'the same with partitionsConsumedConcurrently 1',
      share: 0.02,
      measure: (ground) => eachMessage(ground, 1),
    },
    {
      name: 'dbos',
      setup:
        '@dbos-inc/kafkajs-receive 5.0.2 as it is, a workflow an event with a step for the row and one that publishes',
      share: 0.01,
      measure: dbos,
    },
  ],
  bars: [
    { against: 'kafka streams', atLeast: 1.2 },
    { against: 'kafkajs, 12 at once', atLeast: 12 },
    { against: 'kafkajs, one at a time', atLeast: 30 },
  ],
}

async function ours(ground: Ground): Promise<Repeat> {
  const { sandbox, events } = ground
  await fillOrders(sandbox, await prepareTopics(sandbox), events)
  const schema = await prepareOurTables(sandbox)
  const { counts: _, ...repeat } = await runProgram(ground, program('ours.ts', { events }, ground))
  await assertHop(ground, schema)
  return repeat
}

async function eachMessage(ground: Ground, atOnce: number): Promise<Repeat> {
  const order = await preparePeer(ground)
  const { counts: _, ...repeat } = await runProgram(
    ground,
    program('../peers/kafkajs-each-message.ts', { ...order, atOnce }, ground),
  )
  await assertHop(ground, order.schema)
  return repeat
}

/** Its ids are the workflows'; rows and what is published are counted. */
async function dbos(ground: Ground): Promise<Repeat> {
  const order = await preparePeer(ground)
  const { counts: _, ...repeat } = await runProgram(ground, program('../peers/dbos.ts', order, ground))
  await assertEffects(ground, order.schema)
  return repeat
}

async function preparePeer({ sandbox, events }: Ground) {
  const { config, namespace } = sandbox
  await fillOrders(sandbox, await prepareTopics(sandbox), events)
  const schema = await preparePeerTables(sandbox)
  return {
    brokers: config.kafka.brokers,
    registryUrl: config.registry.url,
    databaseUrl: config.postgres.url,
    input: `${namespace}orders`,
    output: `${namespace}payments`,
    subject: subjectOf(namespace, 'PaymentAuthorized'),
    ...{ schema, events },
  }
}

const program = (path: string, order: object, ground: Ground) => script(join(import.meta.dirname, path), order, ground)
