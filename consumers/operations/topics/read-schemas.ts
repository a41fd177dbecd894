import type { Config } from '../../../infra/config.ts'
import { describeError } from '../../../infra/errors.ts'
import { parseSchema } from '../../../schemas/avro-schema.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import type { EventSchema } from '../../../schemas/load-schemas.ts'
import { describeClash, findClashes } from '../../../schemas/registry/compatibility.ts'
import { askRegistry } from '../../../schemas/registry/registry-client.ts'
import { subjectOf, topicOf } from '../../../schemas/topics.ts'
import { changedFields } from '../parked/read-edit.ts'

/** One version of an event's schema in the registry. */
export interface SchemaVersion {
  readonly version: number
  readonly id: number
  /** JSON, indented. */
  readonly schema: string
  /** Differences to the version before, one for each place. */
  readonly changes: readonly string[]
  /** Why this code cannot read events of that version, a sentence each; empty if it can. */
  readonly unreadable: readonly string[]
  /** Whether it is the schema of this code. */
  readonly isCurrent: boolean
}

export interface EventSchemas {
  readonly type: EventType
  readonly topic: string
  readonly subject: string
  /** The oldest first. */
  readonly versions: readonly SchemaVersion[]
}

/**
 * The registered versions of every event's schema.
 * @throws TallyError UNREACHABLE, DENIED
 */
export function readSchemas({ registry, namespace }: Config): Promise<EventSchemas[]> {
  return Promise.all(
    loadSchemas().map(async (own): Promise<EventSchemas> => {
      const subject = subjectOf(namespace, own.type)
      const path = `/subjects/${encodeURIComponent(subject)}/versions`
      const numbers = ((await askRegistry(registry.url, path)) ?? []) as number[]
      const found = (await Promise.all(numbers.map((number) => askRegistry(registry.url, `${path}/${number}`)))) as {
        version: number
        id: number
        schema: string
      }[]
      const sorted = found.toSorted((a, b) => a.version - b.version)
      const versions = sorted.map((each, at) => versionOf(each, sorted[at - 1]?.schema, own, at === sorted.length - 1))
      return { type: own.type, topic: topicOf(own.type).name, subject, versions }
    }),
  )
}

function versionOf(
  { version, id, schema }: { version: number; id: number; schema: string },
  before: string | undefined,
  own: EventSchema,
  isLast: boolean,
): SchemaVersion {
  const json = JSON.parse(schema) as object
  return {
    version,
    id,
    schema: JSON.stringify(json, null, 2),
    changes: before === undefined ? [] : changedFields(byName(JSON.parse(before)), byName(json)),
    unreadable: clashesOf(own, json),
    isCurrent: isLast && changedFields(byName(JSON.parse(own.json)), byName(json)).length === 0,
  }
}

/** Fields by their names, so that a field that was inserted changes no other. */
function byName(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(byName)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [
      name,
      name === 'fields' && Array.isArray(value)
        ? Object.fromEntries((value as { name: string }[]).map((field) => [field.name, byName(field)]))
        : byName(value),
    ]),
  )
}

function clashesOf(own: EventSchema, written: object): string[] {
  try {
    return findClashes(own.record, parseSchema(written)).map(
      (clash) => `${clash.path.replace(/^\./, '') || 'the event'} ${describeClash(clash, 'old events')}`,
    )
  } catch (error) {
    return [describeError(error)]
  }
}
