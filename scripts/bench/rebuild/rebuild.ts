import { join } from 'node:path'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { assertCount, fillOrders, prepareTopics } from '../fill-orders.ts'
import { prepareRebuild } from './ground.ts'
import { runProgram, script } from '../run-program.ts'

export const rebuild: Benchmark = {
  name: 'rebuild',
  what: 'Fill the empty tables of order-status from OrderPlaced events of 12 partitions, one per order.',
  unit: 'events/s',
  events: { usual: 1_000_000, quick: 100_000 },
  contenders: [
    {
      name: 'tally',
      setup: 'a complete replay in mode rebuild, from start to swap: two rows per event, each event once, resumable',
      measure: rebuildTables,
    },
    {
      name: 'kafkajs',
      setup: 'only reads and decodes the topic: kafkajs 2.2.4 as it is, eachBatch; @kafkajs/confluent-schema-registry',
      measure: readOnly,
    },
  ],
  bars: [{ against: 'kafkajs', atLeast: 0.4 }],
}

async function rebuildTables(ground: Ground): Promise<Repeat> {
  const { sandbox, events } = ground
  const total = await fillOrders(sandbox, await prepareTopics(sandbox), events)
  const order = { plan: await prepareRebuild(sandbox), events }
  const program = script(join(import.meta.dirname, 'ours.ts'), order, ground)
  const { counts, ...repeat } = await runProgram(ground, program)
  assertCount('orders', counts['orders'], events)
  assertCount('entries of timelines', counts['entries'], events)
  assertCount('sum of the orders', counts['totalMinor'], total)
  return { ...repeat, figures: { 'locked ms': counts['lockedMs'] ?? 0 } }
}

async function readOnly(ground: Ground): Promise<Repeat> {
  const { sandbox, events } = ground
  const { config, namespace } = sandbox
  const total = await fillOrders(sandbox, await prepareTopics(sandbox), events)
  const order = { brokers: config.kafka.brokers, registryUrl: config.registry.url, topic: `${namespace}orders`, events }
  const program = script(join(import.meta.dirname, '../peers/kafkajs-consume.ts'), order, ground)
  const { counts, ...repeat } = await runProgram(ground, program)
  assertCount('sum of the orders read', counts['totalMinor'], total)
  return repeat
}
