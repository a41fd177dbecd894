import { consumerFolders } from '../consumers/runtime/load-consumer.ts'
import { loadConfig } from '../infra/config.ts'
import type { Config } from '../infra/config.ts'
import { brokerName } from '../infra/stack/servers/kafka-server.ts'
import { nodeProcess } from '../infra/stack/supervisor/node-process.ts'
import type { ProcessSpec } from '../infra/stack/supervisor/process-spec.ts'
import type { ReplicaSource } from '../infra/stack/supervisor/scaling.ts'

/** The processes of the pipeline: simulators, deployment steps, orders API, and one replica of each consumer. */
export function pipeline(config: Config): ProcessSpec[] {
  const simulators = [
    ...(config.gateway.embedded ? [simulator('gateway', 'Payment gateway simulator', config.ports.gateway)] : []),
    ...(config.carrier.embedded ? [simulator('carrier', 'Carrier simulator', config.ports.carrier)] : []),
  ]
  return [
    ...simulators,
    deployStep('database', 'Migration of the database', ['postgres'], ['database']),
    deployStep(
      'topics',
      'Topics',
      config.kafka.nodes.map(({ id }) => brokerName(id)),
      ['topics'],
    ),
    ...(config.secured ? accessSteps(config.kafka.nodes.map(({ id }) => brokerName(id))) : []),
    deployStep('schemas', 'Registration of the event schemas', ['registry', 'deploy-database'], ['schemas']), // Not after Kafka: the orders API waits for them
    {
      ...nodeProcess('orders-api', ['producers/orders-api/main.ts'], { ...monitored, TALLY_PRINCIPAL: 'orders-api' }),
      title: 'Orders API',
      after: ['deploy-database', 'deploy-roles', 'deploy-acls'], // Orders are accepted before Kafka runs: their events wait in the outbox
      ports: [config.ports.api],
      handsOver: true,
    },
    ...consumerFolders().map((name) => replica(name, 1)),
  ]
}

/** Each process has a port of its own, whatever the variable says: the supervisor lists them. */
const monitored = { TALLY_MONITOR_PORT: '0' }

/** The console: pages for operators. A stack does without it. */
export const consoleProcess = (config: Config): ProcessSpec => ({
  ...nodeProcess('console', ['scripts/console/main.ts']),
  title: 'Console',
  after: ['deploy-database'],
  ports: [config.ports.console],
})

/** Named `payment`, `payment-2`, `payment-3`, … */
const replica = (consumer: string, number: number): ProcessSpec => ({
  ...nodeProcess(number === 1 ? consumer : `${consumer}-${number}`, ['consumers/main.ts', consumer], {
    ...monitored,
    TALLY_PRINCIPAL: consumer,
  }),
  consumer,
  after: ['deploy-database', 'deploy-topics', 'deploy-schemas', 'deploy-roles', 'deploy-acls'],
})

/** The replicas of a running pipeline. A new consumer gets its schema; the other schemas are not touched. */
export const replicas: ReplicaSource = {
  consumers: consumerFolders,
  replica,
  joining: (consumer) => [
    deployStep(consumer, `Schema of ${consumer}`, [], ['database', 'topics', 'schemas', '--consumer', consumer]),
    ...(loadConfig().secured ? accessSteps([`deploy-${consumer}`]) : []),
  ],
}

/** Users and rights at the servers of a secured data folder. */
const accessSteps = (after: readonly string[]): ProcessSpec[] => [
  deployStep('roles', 'Roles in the database', ['deploy-database', ...after], ['roles', '--apply']),
  deployStep('acls', 'Rights at Kafka', after, ['acls', '--apply']),
]

const simulator = (name: string, title: string, port: number): ProcessSpec => ({
  ...nodeProcess(name, ['infra/simulators/main.ts', name]),
  title,
  kind: 'simulator',
  ports: [port],
})

const deployStep = (name: string, title: string, after: readonly string[], parts: readonly string[]): ProcessSpec => ({
  ...nodeProcess(`deploy-${name}`, ['scripts/deploy.ts', ...parts]),
  title,
  kind: 'step',
  after,
})
