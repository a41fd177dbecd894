import type { Config } from '../../config.ts'
import { kafkaServer } from './kafka-server.ts'
import { postgresServer } from './postgres-server.ts'
import type { ProcessSpec } from '../supervisor/process-spec.ts'
import { registryServer } from './registry-server.ts'

/**
 * The servers that `config` does not name as the user's own.
 * @param durable false: fast and not proof against a power cut, for tests
 * @param advertisedKafkaPort where Kafka tells clients to go, if something stands in front of it
 * @param kafkaHeapMb the most memory Kafka's objects may take
 */
export function embeddedServers(
  config: Config,
  {
    durable,
    advertisedKafkaPort,
    kafkaHeapMb,
  }: { durable: boolean; advertisedKafkaPort?: number; kafkaHeapMb?: number },
): ProcessSpec[] {
  return [
    ...(config.postgres.embedded ? [postgresServer(config, { durable })] : []),
    ...(config.kafka.embedded
      ? [kafkaServer(config, { advertisedPort: advertisedKafkaPort, heapMb: kafkaHeapMb })]
      : []),
    ...(config.registry.embedded ? [registryServer(config)] : []),
  ]
}
