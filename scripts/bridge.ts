import { Argument } from 'commander'
import type { Command } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { runService } from '../infra/service.ts'
import { checkAtStart } from '../infra/doctor/check-at-start.ts'
import { ensureQueues, startBridge } from '../producers/bridge/start-bridge.ts'
import type { BridgeRequest } from '../producers/bridge/door.ts'
import { ordersMigrations, ordersSchema } from '../producers/orders-api/migrations.ts'
import { integer } from './cli/arguments.ts'
import { createCommand, printJson, runCommand } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'

interface Options extends CommonOptions {
  queue: string
  deadLetter?: string
  prefetch: number
  create?: boolean
}

export const bridgeCommand = (): Command =>
  createCommand(
    'bridge',
    'Take orders from a queue of RabbitMQ or Amazon SQS until Ctrl-C',
    [
      'npm run bridge -- rabbitmq --queue orders',
      'npm run bridge -- sqs --queue orders.fifo',
      'npm run bridge -- rabbitmq --queue orders --create  # makes both queues',
    ],
    'A message is an order as `POST /orders` takes it, in JSON, or in Avro in the framing of the schema registry. It is acknowledged once its order is committed; its id makes a repeat of it change nothing. What cannot be an order goes to the dead-letter queue with the reason. Several bridges may share a queue.',
  )
    .addArgument(new Argument('<server>', 'where the queue is').choices(['rabbitmq', 'sqs']))
    .requiredOption('--queue <name>', 'queue to take orders from')
    .option('--dead-letter <name>', 'RabbitMQ: queue for what cannot be an order (default: <queue>.dead-letter)')
    .option('--prefetch <n>', 'messages in work at most', integer(1, 2_000), 200)
    .option('--create', 'create the queues if they do not exist')
    .action((door: BridgeRequest['door'], options: Options) => bridge(door, options))

if (import.meta.main) await runCommand(bridgeCommand)

async function bridge(
  door: BridgeRequest['door'],
  { create = false, json, queue, deadLetter, prefetch }: Options,
): Promise<void> {
  const request = { door, queue, deadLetter, prefetch }
  await ensureQueues(loadConfig(), request, create)
  await runService(
    `bridge-${door}`,
    async ({ config, log, replica, meter, tracer }) => {
      await checkAtStart({ schema: ordersSchema(config.namespace), folders: ordersMigrations }, config, log)
      const running = await startBridge({ config, request, replica, log, meter, tracer })
      running.ended.catch((error: unknown) => {
        log.fatal({ error: error instanceof Error ? error.message : String(error) }, 'the queue refuses access')
        process.exit(1)
      })
      if (json) printJson({ server: door, queue, prefetch })
      return running
    },
    { principal: 'orders-api' },
  )
}
