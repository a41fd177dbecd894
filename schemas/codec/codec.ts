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
  /** Undefined if the value is not framed: `decode` gives the reason. */
  schemaIdOf(value: Buffer | null): number | undefined
  /**
   * Fetches the writer schemas that are not known yet. A missing schema is remembered for half a minute.
   * @throws TallyError UNREACHABLE (retryable) while the registry does not answer: the records can then not be judged
   */
  learn(schemaIds: Iterable<number>): Promise<void>
  /** Event type by the full name of the writer schema, without decoding; undefined if this code knows no such event. */
  typeOf(schemaId: number): EventType | undefined
  /** Full name of the record of a learnt schema, an event of this version or not. */
  nameOf(schemaId: number): string | undefined
  /** Why this code cannot read values of this schema; undefined if it can, or if the schema was not learnt. */
  whyUnreadable(schemaId: number): string | undefined
  /**
   * Reads with the current schema and checks the rules of the event.
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
  /** Ends the wait for a registry that does not answer. */
  signal?: AbortSignal
  /** How long the registry is not asked again for an unknown schema id, ms. @default 30000 */
  unknownForMs?: number
}

/**
 * Creates a codec that writes `types` and reads all events. Waits while the registry does not answer.
 * @throws TallyError NOT_DEPLOYED when the schema of a type to write is not registered
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
    learn: createLearn({ registryUrl, decoder, unknownForMs }),
    typeOf: decoder.typeOf,
    nameOf: decoder.nameOf,
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
      // The client reports a 404 with an error without status
      if (statusOf(error) !== undefined) throw unreachable(registryUrl, error)
      throw new TallyError(
        'NOT_DEPLOYED',
        `${registryUrl} has no ${subject} like the ${type} of this version: register the schemas first (\`npm run deploy\`)`,
      )
    }
  }
  return new Map(await Promise.all(schemas.map(lookUp)))
}
