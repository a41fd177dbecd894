import { loadConfig, wantQueueServer } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import type { QueueServer } from '../../infra/queue-settings.ts'
import { findRabbitmq } from '../../infra/stack/servers/rabbitmq-binaries.ts'
import { nodeProcess } from '../../infra/stack/supervisor/node-process.ts'
import type { ProcessSpec } from '../../infra/stack/supervisor/process-spec.ts'
import type { StackStatus } from '../../infra/stack/supervisor/stack-record.ts'

/** Queues of the demo's own: a server that the user names may have others, with real orders. */
export const demoQueue = { rabbitmq: 'tally-demo', sqs: 'tally-demo.fifo' } as const
const bridgeName = (server: QueueServer) => `bridge-${server}`

/**
 * Has the stack run the server of a queue, unless the settings name one.
 * @throws TallyError TOOL_MISSING if this machine has no RabbitMQ
 */
export function prepareQueueDoor(server: QueueServer): void {
  wantQueueServer(server)
  const { rabbitmq, java } = loadConfig()
  if (server === 'rabbitmq' && rabbitmq.embedded && !findRabbitmq(java.searchPath))
    throw new TallyError(
      'TOOL_MISSING',
      'RabbitMQ is not installed: install it (for example the package rabbitmq-server), name a server in TALLY_RABBITMQ_URL, or use --door sqs',
    )
}

/** The bridge of the demo, as a process of the stack. */
export const bridgeProcess = (server: QueueServer, { rabbitmq, sqs }: Config): ProcessSpec => ({
  ...nodeProcess(bridgeName(server), ['scripts/bridge.ts', server, '--queue', demoQueue[server], '--create'], {
    TALLY_MONITOR_PORT: '0',
  }),
  title: `Bridge of ${server === 'rabbitmq' ? 'RabbitMQ' : 'Amazon SQS'}`,
  after: [
    ...['deploy-database', 'deploy-roles', 'deploy-acls'],
    ...(server === 'rabbitmq' && rabbitmq.embedded ? ['rabbitmq'] : []),
    ...(server === 'sqs' && sqs?.embedded ? ['elasticmq'] : []),
  ],
})

/** @throws TallyError PRECONDITION_FAILED if the stack that runs was not started with this door */
export function assertBridge(server: QueueServer, { processes }: StackStatus): void {
  if (processes.some(({ name }) => name === bridgeName(server))) return
  throw new TallyError(
    'PRECONDITION_FAILED',
    `The stack that runs was started without --door ${server}: stop it with \`npm run stack -- down\`, then repeat this command`,
  )
}
