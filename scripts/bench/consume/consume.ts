import { join } from 'node:path'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { assertCount, fillOrders, prepareTopics } from '../fill-orders.ts'
import { perfTest } from '../peers/perf-test.ts'
import { runProgram, script } from '../run-program.ts'

export const consume: Benchmark = {
  name: 'consume',
  what: 'Read OrderPlaced events from 12 partitions and decode them.',
  unit: 'events/s',
  events: { usual: 1_000_000, quick: 100_000 },
  contenders: [
    {
      name: 'tally',
      setup: "a replica's group client and its input checks: checksums, bounds, ids, rules of the events",
      measure: (ground) => read(ground, 'ours.ts'),
    },
    {
      name: 'kafkajs',
      setup: 'kafkajs 2.2.4 as it is, eachBatch, 12 partitions concurrently; @kafkajs/confluent-schema-registry',
      measure: (ground) => read(ground, '../peers/kafkajs-consume.ts'),
    },
    {
      name: '@platformatic/kafka',
      setup: '@platformatic/kafka 2.12.1, for await over its stream; @kafkajs/confluent-schema-registry',
      measure: (ground) => read(ground, '../peers/platformatic-consume.ts'),
    },
    {
      name: 'consumer-perf-test',
      setup: "the Java client in Kafka's own tool, which decodes nothing and reads its events in any order",
      measure: perfConsume,
    },
  ],
  bars: [{ against: 'kafkajs', atLeast: 0.9 }],
}

async function perfConsume(ground: Ground): Promise<Repeat> {
  const { sandbox, events } = ground
  const { config, namespace } = sandbox
  await fillOrders(sandbox, await prepareTopics(sandbox), events)
  const args = ['--bootstrap-server', config.kafka.brokers.join(), '--topic', `${namespace}orders`]
  const load = ['--num-records', String(events), '--timeout', '30000', '--hide-header']
  return perfTest(ground, 'ConsumerPerformance', [...args, ...load], (printed) => {
    const columns = printed.trim().split('\n').at(-1)?.split(', ') ?? []
    assertCount('records read', Number(columns[4]), events)
    return Number(columns[9]) // Excludes the time to join the group
  })
}

async function read(ground: Ground, program: string): Promise<Repeat> {
  const { sandbox, events } = ground
  const { config, namespace } = sandbox
  const total = await fillOrders(sandbox, await prepareTopics(sandbox), events)
  const order = { brokers: config.kafka.brokers, registryUrl: config.registry.url, topic: `${namespace}orders`, events }
  const { counts, ...repeat } = await runProgram(ground, script(join(import.meta.dirname, program), order, ground))
  assertCount('records read', counts['records'], events)
  assertCount('sum of the orders read', counts['totalMinor'], total)
  return repeat
}
