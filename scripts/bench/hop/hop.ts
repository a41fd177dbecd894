import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { fillOrders, prepareTopics } from '../fill-orders.ts'
import { kafkaStreams } from './kafka-streams.ts'
import { assertEffects, assertHop, peerParameters, prepareOurTables, preparePeerTables } from './prepare.ts'
import { runProgram, script } from '../run-program.ts'

export const hop: Benchmark = {
  name: 'hop',
  what: 'Consume events: store the id, write a row, store an event in the outbox, and publish it to another topic.',
  unit: 'events/s',
  events: { usual: 500_000, quick: 30_000 },
  contenders: [
    { name: 'tally', setup: 'one replica, 12 lanes', measure: (ground) => ours(ground) },
    {
      name: 'tally, monitored',
      setup: 'the same, and its metrics are scraped once a second',
      large: true,
      measure: (ground) => ours(ground, { monitored: true }),
    },
    {
      name: 'tally, traced',
      setup: 'the same, and it exports traces and metrics by OTLP to a collector in a process of its own',
      large: true,
      measure: traced,
    },
    {
      name: 'kafka streams',
      setup:
        'Kafka Streams 4.3.1, exactly_once_v2, two RocksDB stores with changelogs, 2 threads, commits every 100 ms',
      measure: kafkaStreams,
    },
    {
      name: 'kafkajs, 12 at once',
      setup:
        'kafkajs 2.2.4 eachMessage, partitionsConsumedConcurrently 12, one transaction per event, prepared statements',
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
        '@dbos-inc/kafkajs-receive 5.0.2, default settings; one workflow per event with one step for the row and one to publish',
      share: 0.01,
      measure: dbos,
    },
  ],
  bars: [
    { contender: 'tally, monitored', against: 'tally', atLeast: 0.95 },
    { contender: 'tally, traced', against: 'tally', atLeast: 0.95 },
    { against: 'kafka streams', atLeast: 1.2 },
    { against: 'kafkajs, 12 at once', atLeast: 12 },
    { against: 'kafkajs, one at a time', atLeast: 30 },
  ],
}

async function ours(ground: Ground, { monitored = false } = {}): Promise<Repeat> {
  const { sandbox, events } = ground
  await fillOrders(sandbox, await prepareTopics(sandbox), events)
  const schema = await prepareOurTables(sandbox)
  const { counts: _, ...repeat } = await runProgram(ground, program('ours.ts', { events, monitored }, ground))
  await assertHop(ground, schema)
  return repeat
}

/** The collector's processor time is none of the replica's; it takes part in the machine's. */
async function traced(ground: Ground): Promise<Repeat> {
  await using collector = await startCollector()
  const { sandbox } = ground
  const env = { ...sandbox.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
  return await ours({ ...ground, sandbox: { ...sandbox, env } }, { monitored: true })
}

/** Starts an OpenTelemetry collector in a process of its own, which reads what it is sent and keeps nothing. */
async function startCollector(): Promise<AsyncDisposable & { readonly url: string }> {
  const child = fork(join(import.meta.dirname, 'collector.ts'))
  const [port] = (await once(child, 'message')) as [number]
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

async function eachMessage(ground: Ground, atOnce: number): Promise<Repeat> {
  const parameters = await preparePeer(ground)
  const { counts: _, ...repeat } = await runProgram(
    ground,
    program('../peers/kafkajs-each-message.ts', { ...parameters, atOnce }, ground),
  )
  await assertHop(ground, parameters.schema)
  return repeat
}

/** DBOS keeps the ids as workflow ids, so only rows and published events are counted. */
async function dbos(ground: Ground): Promise<Repeat> {
  const parameters = await preparePeer(ground)
  const { counts: _, ...repeat } = await runProgram(ground, program('../peers/dbos.ts', parameters, ground))
  await assertEffects(ground, parameters.schema)
  return repeat
}

async function preparePeer({ sandbox, events }: Ground) {
  await fillOrders(sandbox, await prepareTopics(sandbox), events)
  const schema = await preparePeerTables(sandbox)
  return { ...peerParameters(sandbox, 'PaymentAuthorized'), schema, events }
}

const program = (path: string, parameters: object, ground: Ground) =>
  script(join(import.meta.dirname, path), parameters, ground)
