import type { Kafka } from 'kafkajs'
import type { Config } from '../../infra/config.ts'
import { currentConfig } from '../../infra/generations/current-config.ts'
import { createKafka } from '../../infra/kafka.ts'
import { createLogger } from '../../infra/telemetry.ts'
import type { Logger } from '../../infra/telemetry.ts'
import { Publisher } from '../../producers/publisher.ts'
import { createCodec } from '../../schemas/codec.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { askRegistry } from '../../schemas/registry-client.ts'

/** A logger for commands: what goes wrong is told in a sentence, so by default nothing but errors is logged. */
export const commandLogger = (name: string, { logLevel }: Config): Logger =>
  createLogger(name, logLevel === 'info' ? 'error' : logLevel)

/** A client that gives up soon: a person is waiting for the answer. */
export const connectKafka = (name: string, config: Config): Kafka =>
  createKafka({
    brokers: config.kafka.brokers,
    clientId: `tally-${name}`,
    log: commandLogger(name, config),
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 3 },
  })

export interface PublishingOptions {
  /** Of the command: `ce_source` is `/tally/<name>`. */
  name: string
  kafka: Kafka
  config: Config
  /** Events that will be published. */
  types: readonly EventType[]
  signal: AbortSignal
}

/** @throws TallyError, or an error `explainFailure` knows, when Kafka or the registry does not answer or is not prepared */
export async function connectPublisher({ name, kafka, config, types, signal }: PublishingOptions): Promise<Publisher> {
  const registryUrl = config.registry.url
  await askRegistry(registryUrl, '/subjects') // A codec waits for its registry, a person should not
  const codec = await createCodec({ registryUrl, namespace: config.namespace, types, signal })
  const { namespace } = config
  const { generation } = await currentConfig(config)
  return Publisher.connect({ kafka, namespace, generation, codec, source: `/tally/${name}` })
}
