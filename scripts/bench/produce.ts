import { join } from 'node:path'
import { subjectOf } from '../../schemas/topics.ts'
import type { Benchmark, Ground, Repeat } from './benchmark.ts'
import { countTopic } from './count-topic.ts'
import { assertCount, prepareTopics } from './fill-orders.ts'
import { runProgram, script } from './run-program.ts'

export const produce: Benchmark = {
  name: 'produce',
  what: 'Encode OrderPlaced events as Avro and publish them to 12 partitions, acknowledged by all, idempotent.',
  unit: 'events/s',
  events: { usual: 500_000, quick: 50_000 },
  contenders: [
    {
      name: 'tally',
      setup: 'the publisher of the scripts, 2,000 a call, encoding while the request before is under way',
      measure: (ground) => publish(ground, 'produce/ours.ts'),
    },
    {
      name: 'kafkajs',
      setup: 'kafkajs 2.2.4 as it is, send of 2,000 with the same headers; @kafkajs/confluent-schema-registry',
      measure: (ground) => publish(ground, 'peers/kafkajs-produce.ts'),
    },
  ],
  bars: [{ against: 'kafkajs', atLeast: 1.5 }],
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
