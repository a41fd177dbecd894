import type { Kafka } from 'kafkajs'
import type { Config } from '../../infra/config.ts'
import { currentConfig } from '../../infra/topic-generations/current-config.ts'
import { createCodec } from '../../schemas/codec/codec.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { askRegistry } from '../../schemas/registry/registry-client.ts'
import { Publisher } from './publisher.ts'

export interface PublishingOptions {
  /** Name of the command: `ce_source` is `/tally/<name>`. */
  name: string
  kafka: Kafka
  config: Config
  /** Types of the events to publish. */
  types: readonly EventType[]
  signal: AbortSignal
}

/** @throws TallyError, or an error that `explainFailure` knows, when Kafka or the registry does not answer or is not deployed */
export async function connectPublisher({ name, kafka, config, types, signal }: PublishingOptions): Promise<Publisher> {
  const registryUrl = config.registry.url
  await askRegistry(registryUrl, '/subjects') // A codec waits for its registry, but an operator should not have to
  const codec = await createCodec({ registryUrl, namespace: config.namespace, types, signal })
  const { namespace } = config
  const { generation } = await currentConfig(config)
  return Publisher.connect({ kafka, namespace, generation, codec, source: `/tally/${name}` })
}
