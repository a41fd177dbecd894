import { join } from 'node:path'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { createTopics } from '../../../infra/kafka/topics.ts'
import { createCodec } from '../../../schemas/codec/codec.ts'
import { registerSchemas } from '../../../schemas/registry/registry.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { topicName, topics } from '../../../schemas/topics.ts'
import type { Benchmark, Contender, Ground, Repeat } from '../benchmark.ts'
import { fillOrders } from '../fill-orders.ts'
import { assertHop, prepareOurTables } from '../hop/prepare.ts'
import { runProgram, script } from '../run-program.ts'

/** One replica that owns all of them. */
const withLanes = (lanes: number): Contender => ({
  name: `tally, ${lanes} lanes`,
  setup: `one replica, ${lanes} partitions of the topic that it reads and of the one that it writes`,
  large: lanes > 120,
  measure: (ground) => measure(ground, lanes),
})

export const lanes: Benchmark = {
  name: 'lanes',
  what: 'The hop with more lanes: what does an event cost if the events are spread over 12, 120, 1,200 partitions?',
  unit: 'events/s',
  events: { usual: 200_000, quick: 20_000 },
  contenders: [withLanes(12), withLanes(120), withLanes(1_200)],
}

async function measure(given: Ground, count: number): Promise<Repeat> {
  const ground = { ...given, sandbox: withPartitions(given.sandbox, count) }
  const { sandbox } = ground
  const { config, namespace, log } = sandbox
  const registryUrl = config.registry.url
  await registerSchemas({ registryUrl, namespace, readersOf: () => [], log })
  await createOwnTopics(sandbox, count)
  await fillOrders(sandbox, await createCodec({ registryUrl, namespace, log }), ground.events)
  const schema = await prepareOurTables(sandbox)
  const program = script(join(import.meta.dirname, '../hop/ours.ts'), { events: ground.events }, ground)
  const { counts: _, ...repeat } = await runProgram(ground, program)
  await assertHop(ground, schema)
  return repeat
}

const withPartitions = (sandbox: Sandbox, count: number): Sandbox => ({
  ...sandbox,
  config: { ...sandbox.config, partitions: count },
  env: { ...sandbox.env, TALLY_PARTITIONS: String(count) },
})

/** Only those that the hop uses have them: five of 1,200 partitions would say more of the broker than of a lane. */
const createOwnTopics = ({ kafka, namespace }: Sandbox, count: number): Promise<void> =>
  withAdmin(kafka, (admin) =>
    createTopics(
      admin,
      topics.map((topic) => ({
        topic: topicName(namespace, topic),
        numPartitions: ['orders', 'payments'].includes(topic.name) ? count : 1,
        replicationFactor: 1,
      })),
    ),
  )
