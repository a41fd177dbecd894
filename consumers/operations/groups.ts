import { consumersOf, loadConsumer, schemaName } from '../runtime/load-consumer.ts'
import type { Config } from '../../infra/config.ts'
import { quoteIdentifier } from '../../infra/postgres/identifiers.ts'
import { TallyError } from '../../infra/errors.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { inGeneration, topicOf } from '../../schemas/topics.ts'

/** A service that writes events through an outbox. */
export interface Writer {
  /** As in `ce_sourcelane`: the group, or `orders-api`. */
  name: string
  /** Database schema, quoted. */
  schema: string
}

/** A consumer: a service that reads events as well. */
export interface Group extends Writer {
  handles: ReadonlySet<EventType>
  /** Whether it reads a new topic from its first offset or from its end. */
  begins: 'first' | 'now'
  /** Topics it reads, without namespace. */
  topics: ReadonlySet<string>
  /** Tables of other services that it reads, by schema (without namespace). */
  alsoReads?: Readonly<Record<string, readonly string[]>>
}

export const ordersWriter = ({ namespace }: Config): Writer => ({
  name: 'orders-api',
  schema: quoteIdentifier(schemaName(namespace, 'orders')),
})

/** Which of these consumers have tables. One that was removed, or never deployed, has none. */
export async function deployedOf(
  pool: Pool,
  groups: readonly Group[],
): Promise<{ deployed: Group[]; undeployed: string[] }> {
  const { rows } = await pool.query<{ schema: string }>(
    `select schema from unnest($1::text[]) as schema where to_regclass(schema || '.ledger') is not null`,
    [groups.map(({ schema }) => schema)],
  )
  const schemas = new Set(rows.map(({ schema }) => schema))
  return {
    deployed: groups.filter(({ schema }) => schemas.has(schema)),
    undeployed: groups.filter(({ schema }) => !schemas.has(schema)).map(({ name }) => name),
  }
}

/**
 * Every consumer that has a folder, and the topics it reads.
 * @param generations of the topics; @default the configuration's
 */
export function readGroups(config: Config, generations: readonly number[] = [config.generation]): Promise<Group[]> {
  return Promise.all(
    consumersOf(config).map(async (folder) => {
      const { handlers, begins = 'first', alsoReads } = await loadConsumer(folder, config)
      const handles = Object.keys(handlers) as EventType[]
      return {
        name: folder,
        schema: quoteIdentifier(schemaName(config.namespace, folder)),
        handles: new Set(handles),
        begins,
        alsoReads,
        topics: new Set(
          generations.flatMap((number) => handles.map((type) => inGeneration(topicOf(type).name, number))),
        ),
      }
    }),
  )
}

/** The consumers with these names. @throws TallyError USAGE for one that does not exist */
export async function chooseGroups(config: Config, names: readonly string[]): Promise<Group[]> {
  const groups = await readGroups(config)
  const unknown = names.filter((name) => !groups.some((group) => group.name === name))
  if (unknown.length > 0)
    throw new TallyError(
      'USAGE',
      `No consumer "${unknown.join('", "')}": there are ${groups.map(({ name }) => name).join(', ')}`,
    )
  return groups.filter(({ name }) => names.includes(name))
}
