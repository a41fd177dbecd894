import { SchemaType } from '@kafkajs/confluent-schema-registry'
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { TallyError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import { createDecoder } from './decoder.ts'
import type { DecodedEvent } from './decoder.ts'
import { createEncoder } from './encoder.ts'
import type { Encode } from './encoder.ts'
import { schemaIdOf } from './framing.ts'
import type { EventType } from '../generated/events.ts'
import { loadSchemas } from '../load-schemas.ts'
import type { EventSchema } from '../load-schemas.ts'
import { createRegistry, statusOf, unreachable, untilReachable } from '../registry/registry-client.ts'
import { createLearn } from './learn.ts'
import { eventTypes, subjectOf } from '../topics.ts'

export interface Codec {
  /** Magic byte, schema id, Avro body. @throws TallyError INVARIANT naming the field that is wrong */
  encode: Encode
  /** Undefined where the value is not framed: `decode` says why. */
  schemaIdOf(value: Buffer | null): number | undefined
  /**
   * Fetches the writer schemas not known yet. That one does not exist is remembered for half a minute.
   * @throws TallyError UNREACHABLE (retryable) while the registry does not answer: then nothing can be said of the records
   */
  learn(schemaIds: Iterable<number>): Promise<void>
  /** Event type by the writer schema's full name, without decoding; undefined where that is no event this code knows. */
  typeOf(schemaId: number): EventType | undefined
  /** Why nothing written with this schema can be read today; undefined if it can, or was not learnt. */
  whyUnreadable(schemaId: number): string | undefined
  /**
   * Reads with today's schema and checks the event's own rules.
   * @throws TallyError UNREADABLE with the reason; INVARIANT if the schema was not learnt before
   */
  decode(value: Buffer | null): DecodedEvent
}

export interface CodecOptions {
  registryUrl: string
  namespace: string
  /** Events that will be written; their schemas must be registered. @default all */
  types?: readonly EventType[]
  log?: Logger
  /** Ends the waiting for a registry that is away. */
  signal?: AbortSignal
  /** How long a schema id the registry does not know is not asked for again. @default 30000 */
  unknownForMs?: number
}

/**
 * Makes a codec that can write `types` and read everything. Waits while the registry is away.
 * @throws TallyError NOT_DEPLOYED when a schema to be written is not registered
 */
export async function createCodec(options: CodecOptions): Promise<Codec> {
  const { registryUrl, types = eventTypes, unknownForMs = 30_000 } = options
  const schemas = loadSchemas()
  const registry = createRegistry(registryUrl)
  const decoder = createDecoder(schemas)
  const written = schemas.filter(({ type }) => types.includes(type))
  const ids = await untilReachable(() => lookUpIds(registry, options, written), options)
  for (const { type, schema } of written) decoder.add(ids.get(type)!, schema)
  return {
    encode: createEncoder(written, ids),
    schemaIdOf,
    learn: createLearn({ registry, registryUrl, decoder, unknownForMs }),
    typeOf: decoder.typeOf,
    whyUnreadable: decoder.whyUnreadable,
    decode: decoder.decode,
  }
}

async function lookUpIds(
  registry: SchemaRegistry,
  { namespace, registryUrl }: Pick<CodecOptions, 'namespace' | 'registryUrl'>,
  schemas: readonly EventSchema[],
): Promise<Map<EventType, number>> {
  const lookUp = async ({ type, json }: EventSchema) => {
    const subject = subjectOf(namespace, type)
    try {
      return [type, await registry.getRegistryIdBySchema(subject, { type: SchemaType.AVRO, schema: json })] as const
    } catch (error) {
      // The client reports a 404 by an error without status
      if (statusOf(error) !== undefined) throw unreachable(registryUrl, error)
      throw new TallyError(
        'NOT_DEPLOYED',
        `${registryUrl} has no ${subject} like the ${type} of this version: register the schemas first`,
      )
    }
  }
  return new Map(await Promise.all(schemas.map(lookUp)))
}
