import { join } from 'node:path'
import type { Benchmark, Ground, Repeat } from './benchmark.ts'
import { assertCount, fillOrders, prepareTopics } from './fill-orders.ts'
import { runProgram, script } from './run-program.ts'

export const consume: Benchmark = {
  name: 'consume',
  what: 'Read OrderPlaced events from 12 partitions and decode them.',
  unit: 'events/s',
  events: { usual: 1_000_000, quick: 100_000 },
  contenders: [
    {
      name: 'tally',
      setup: "a replica's group client and its inputs: checksums, bounds, ids, the events' own rules",
      measure: (ground) => read(ground, 'consume/ours.ts'),
    },
    {
      name: 'kafkajs',
      setup: 'kafkajs 2.2.4 as it is, eachBatch, 12 partitions concurrently; @kafkajs/confluent-schema-registry',
      measure: (ground) => read(ground, 'peers/kafkajs-consume.ts'),
    },
  ],
  bars: [{ against: 'kafkajs', atLeast: 0.9 }],
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
