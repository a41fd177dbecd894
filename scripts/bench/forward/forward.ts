import { join } from 'node:path'
import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { consumerMigrations, schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { maintainInbox } from '../../../consumers/runtime/tables/inbox/partitions.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { QueueServer } from '../../../infra/queue-settings.ts'
import { connectRabbitmq } from '../../../infra/rabbitmq/connect.ts'
import { createSqs } from '../../../infra/sqs/client.ts'
import type { SqsAccess } from '../../../infra/sqs/client.ts'
import { queueUrl } from '../../../infra/sqs/queue-url.ts'
import { startQueue } from '../../../infra/testing/queues/start-queues.ts'
import type { TestQueue } from '../../../infra/testing/queues/start-queues.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { assertCount, fillOrders, prepareTopics } from '../fill-orders.ts'
import { runProgram, script } from '../run-program.ts'

const queue = 'bench'

export const forward: Benchmark = {
  name: 'forward',
  what: 'Consume events and hand each to a queue as a durable call, until all are confirmed and the confirmations stored.',
  unit: 'events/s',
  events: { usual: 50_000, quick: 5_000 },
  contenders: [
    {
      name: 'to RabbitMQ',
      setup: 'one replica, 12 lanes; a durable classic queue, persistent messages, confirms, 256 unconfirmed at a time',
      measure: (ground) => measure(ground, 'rabbitmq', 23_700),
    },
    {
      name: 'to SQS',
      setup: 'one replica, 12 lanes; ElasticMQ in memory, a standard queue, batches of up to 10, 8 requests at a time',
      measure: (ground) => measure(ground, 'sqs', 23_800),
    },
  ],
  bars: [
    { contender: 'to RabbitMQ', atLeast: 2_000 },
    { contender: 'to SQS', atLeast: 2_000 },
  ],
}

/** Starts the queue server, fills the topic, forwards all, and counts what the queue holds. */
async function measure(ground: Ground, server: QueueServer, portBase: number): Promise<Repeat> {
  const { sandbox, events } = ground
  const group = `forward-${server}`
  await using target = await startQueue(server, portBase)
  const { count } = await (server === 'rabbitmq' ? prepareRabbitmq(target) : prepareSqs(target))
  await fillOrders(sandbox, await prepareTopics(sandbox), events)
  const { url } = sandbox.config.postgres
  const schema = schemaName(sandbox.namespace, group)
  await migrate({ url, schema, folders: consumerMigrations(group), log: sandbox.log })
  const pool = createPool({ url, schema, name: 'prepare', max: 1, log: sandbox.log })
  await maintainInbox(pool)
  await pool.end()
  const parameters = { group, events, settings: { ...target.env, ...forwarding[server] } }
  const program = script(join(import.meta.dirname, 'ours.ts'), parameters, ground)
  const { counts: _, ...repeat } = await runProgram(ground, program, target.config.dataDir)
  assertCount('messages in the queue', await count(), events)
  return repeat
}

const forwarding = {
  rabbitmq: { TALLY_FORWARD_RABBITMQ: `queue:${queue}` },
  sqs: { TALLY_FORWARD_SQS: queue },
}

async function prepareRabbitmq({ config }: TestQueue) {
  const access = { url: config.rabbitmq.url ?? '', name: 'bench' }
  const ask = async () => {
    const connection = await connectRabbitmq(access)
    const { messageCount } = await (await connection.createChannel()).assertQueue(queue, { durable: true })
    await connection.close()
    return messageCount
  }
  await ask()
  return { count: ask }
}

async function prepareSqs({ config }: TestQueue) {
  const sqs = createSqs(config.sqs as SqsAccess)
  await sqs.send(new CreateQueueCommand({ QueueName: queue }))
  const names = { AttributeNames: ['ApproximateNumberOfMessages' as const] }
  return {
    async count() {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: await queueUrl(sqs, queue), ...names }),
      )
      return Number(Attributes?.ApproximateNumberOfMessages)
    },
  }
}
