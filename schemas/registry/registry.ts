import { COMPATIBILITY, SchemaType } from '@kafkajs/confluent-schema-registry'
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import { describeError, isTallyError, TallyError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import { parseSchema } from '../avro-schema.ts'
import { describeClash, findClashes } from './compatibility.ts'
import type { EventType } from '../generated/events.ts'
import { loadSchemas } from '../load-schemas.ts'
import type { EventSchema } from '../load-schemas.ts'
import { askRegistry, createRegistry, statusOf, unreachable } from './registry-client.ts'
import { subjectOf } from '../topics.ts'

export interface RegisterOptions {
  registryUrl: string
  namespace: string
  log?: Logger
  /** Names of the consumers of an event type, for the message about an incompatible change. */
  readersOf?: (type: EventType) => readonly string[]
  /** @default those of schemas/avro */
  schemas?: readonly EventSchema[]
}

/**
 * Registers every event's schema under `<topic>-<record full name>`, if it is fully compatible with all earlier versions.
 * Idempotent; several processes may run it at once.
 * @returns schema ids by event type
 * @throws TallyError SCHEMA_INCOMPATIBLE naming field, version and consumers; then nothing was registered.
 * UNREACHABLE when the registry does not answer
 */
export async function registerSchemas(options: RegisterOptions): Promise<Map<EventType, number>> {
  const { registryUrl, namespace, log, schemas = loadSchemas() } = options
  const problems: string[] = []
  for (const schema of schemas) problems.push(...(await findProblems(schema, options)))
  if (problems.length > 0) {
    throw new TallyError(
      'SCHEMA_INCOMPATIBLE',
      `Nothing was registered, these changes are incompatible:\n${problems.join('\n')}`,
    )
  }
  const registry = createRegistry(registryUrl)
  const ids = new Map<EventType, number>()
  for (const { type, json } of schemas) {
    ids.set(type, await registerOne(registryUrl, registry, subjectOf(namespace, type), json))
  }
  log?.info({ schemas: ids.size }, 'schemas registered')
  return ids
}

/** Compares with every version there is, as reader and as writer: one sentence for each clash. */
async function findProblems(schema: EventSchema, options: RegisterOptions): Promise<string[]> {
  const { registryUrl, namespace, readersOf } = options
  const { type, record } = schema
  const versionsOf = new Map<string, number[]>()
  for (const { version, schema: old } of await fetchVersions(registryUrl, subjectOf(namespace, type))) {
    const before = parseSchema(JSON.parse(old))
    const clashes = [
      ...findClashes(record, before).map((clash) => [clash.path, describeClash(clash, 'old events')]),
      ...findClashes(before, record).map((clash) => [clash.path, describeClash(clash, 'new events')]),
    ]
    for (const text of new Set(clashes.map(([path, what]) => `${[type, path].filter(Boolean).join('.')} ${what}`))) {
      versionsOf.set(text, [...(versionsOf.get(text) ?? []), version])
    }
  }
  const readers = readersOf?.(type) ?? []
  const harm = readers.length > 0 ? `; it would break ${readers.join(', ')}` : ''
  return [...versionsOf].map(([text, versions]) => `${text} (version ${versions.join(', ')})${harm}`)
}

interface Version {
  version: number
  schema: string
}

async function fetchVersions(registryUrl: string, subject: string): Promise<Version[]> {
  const path = `/subjects/${encodeURIComponent(subject)}/versions`
  const versions = ((await askRegistry(registryUrl, path)) ?? []) as number[]
  const found = await Promise.all(versions.map((version) => askRegistry(registryUrl, `${path}/${version}`)))
  return found.filter((version) => version !== undefined) as Version[]
}

/** Level of every subject: old and new code may run at the same time. */
export const compatibility = COMPATIBILITY.FULL_TRANSITIVE

async function registerOne(
  registryUrl: string,
  registry: SchemaRegistry,
  subject: string,
  json: string,
): Promise<number> {
  const register = () => registry.register({ type: SchemaType.AVRO, schema: json }, { subject, compatibility })
  try {
    const { id } = await register().catch(async (error: unknown) => {
      if (!isLevelMismatch(error) && statusOf(error) !== 409) throw error
      // The subject was created by hand without our level, or another process is setting it right now
      await askRegistry(registryUrl, `/config/${encodeURIComponent(subject)}`, { put: { compatibility } })
      return register()
    })
    return id
  } catch (error) {
    throw translate(error, registryUrl, subject)
  }
}

/** The client throws this before it sends anything; the class is not exported. */
const isLevelMismatch = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ConfluentSchemaRegistryCompatibilityError'

function translate(error: unknown, registryUrl: string, subject: string): unknown {
  const status = statusOf(error)
  if (isTallyError(error) || status === undefined) return error
  if (status !== 409 && status !== 422) return unreachable(registryUrl, error)
  return new TallyError('SCHEMA_INCOMPATIBLE', `The registry refuses ${subject}: ${describeError(error)}`)
}
