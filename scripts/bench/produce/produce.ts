import { join } from 'node:path'
import { subjectOf } from '../../../schemas/topics.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { countTopic } from '../count-topic.ts'
import { assertCount, prepareTopics } from '../fill-orders.ts'
import { perfTest } from '../peers/perf-test.ts'
import { runProgram, script } from '../run-program.ts'

/** Average size of key, value and headers of an order. */
const bytesPerRecord = 450

export const produce: Benchmark = {
  name: 'produce',
  what: 'Encode OrderPlaced events as Avro and publish them to 12 partitions, acknowledged by all, idempotent.',
  unit: 'events/s',
  events: { usual: 500_000, quick: 50_000 },
  contenders: [
    {
      name: 'tally',
      setup: 'the publisher of the scripts, 2,000 per call, encoding while the previous request is in flight',
      measure: (ground) => publish(ground, 'ours.ts'),
    },
    {
      name: 'kafkajs',
      setup: 'kafkajs 2.2.4 as it is, send of 2,000 with the same headers; @kafkajs/confluent-schema-registry',
      measure: (ground) => publish(ground, '../peers/kafkajs-produce.ts'),
    },
    {
      name: '@platformatic/kafka',
      setup: '@platformatic/kafka 2.12.1, send of 2,000 with the same headers; @kafkajs/confluent-schema-registry',
      measure: (ground) => publish(ground, '../peers/platformatic-produce.ts'),
    },
    {
      name: 'producer-perf-test',
      setup:
        "the Java client in Kafka's own tool: the same record size, no keys, headers or encoding; 64 KB batches, linger 5 ms",
      measure: perfProduce,
    },
  ],
  bars: [{ against: 'kafkajs', atLeast: 1.5 }],
}

async function perfProduce(ground: Ground): Promise<Repeat> {
  const { sandbox, events, signal } = ground
  const { config, namespace } = sandbox
  await prepareTopics(sandbox)
  const load = [
    '--topic',
    `${namespace}orders`,
    '--num-records',
    String(events),
    '--record-size',
    String(bytesPerRecord),
    '--throughput',
    '-1',
  ]
  const settings = [
    `bootstrap.servers=${config.kafka.brokers.join()}`,
    ...['acks=all', 'enable.idempotence=true', 'batch.size=65536', 'linger.ms=5'],
  ]
  const repeat = await perfTest(
    ground,
    'ProducerPerformance',
    [...load, '--command-property', ...settings],
    (printed) => Number(/^\d+ records sent, ([\d.]+) records\/sec.*99\.9th/m.exec(printed)?.[1]),
  )
  const { records } = await countTopic(sandbox, 'orders', signal)
  assertCount('records on the topic', records, events)
  return repeat
}

async function publish(ground: Ground, program: string): Promise<Repeat> {
  const { sandbox, events, signal } = ground
  const { config, namespace } = sandbox
  await prepareTopics(sandbox)
  const order = {
    brokers: config.kafka.brokers,
    registryUrl: config.registry.url,
    topic: `${namespace}orders`,
    subject: subjectOf(namespace, 'OrderPlaced'),
    events,
  }
  const { counts: _, ...repeat } = await runProgram(ground, script(join(import.meta.dirname, program), order, ground))
  const { records, ids } = await countTopic(sandbox, 'orders', signal)
  assertCount('records on the topic', records, events)
  assertCount('different ids on the topic', ids, events)
  return repeat
}
