import type { Config } from '../../config.ts'
import { elasticmqServer } from './elasticmq-server.ts'
import { kafkaServers } from './kafka-server.ts'
import type { KafkaServerOptions } from './kafka-server.ts'
import { postgresServer } from './postgres-server.ts'
import { rabbitmqServers } from './rabbitmq-server.ts'
import type { ProcessSpec } from '../supervisor/process-spec.ts'
import { registryServer } from './registry-server.ts'

/**
 * The servers that `config` does not name as the user's own.
 * @param durable false: fast, but data may be lost in a power failure; for tests
 * @param statements PostgreSQL counts its statements; for benchmarks
 * @param queues for faults: RabbitMQ without its management, and an ElasticMQ that keeps its messages over a kill
 */
export function embeddedServers(
  config: Config,
  options: { durable: boolean; statements?: boolean; kafka?: KafkaServerOptions; queues?: 'robust' },
): ProcessSpec[] {
  const { durable, statements, kafka, queues } = options
  return [
    ...(config.postgres.embedded ? [postgresServer(config, { durable, statements })] : []),
    ...(config.kafka.embedded ? kafkaServers(config, kafka) : []),
    ...(config.registry.embedded ? [registryServer(config)] : []),
    ...(config.rabbitmq.embedded ? rabbitmqServers(config, { management: queues !== 'robust' }) : []),
    ...(config.sqs?.embedded ? [elasticmqServer(config, { durable: queues === 'robust' })] : []),
  ]
}
