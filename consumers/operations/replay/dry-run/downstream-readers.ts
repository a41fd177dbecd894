import type { Config } from '../../../../infra/config.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { EventType } from '../../../../schemas/generated/events.ts'
import { consumerFolders, loadConsumer, schemaName } from '../../../runtime/load-consumer.ts'
import type { DryRunEvent } from './plan-dry-run.ts'

type Unread = Omit<DryRunEvent, 'readers'>

/** Adds to each event the groups that handle its type, and whether they know its id and would drop the event. */
export async function withReaders(config: Config, pool: Pool, events: readonly Unread[]): Promise<DryRunEvent[]> {
  const readers = events.length === 0 ? [] : await readersOf(config, pool, events)
  return events.map((event) => ({
    ...event,
    readers: readers
      .filter(({ handled }) => event.type !== null && handled.has(event.type))
      .map(({ group, known }) => ({ group, known: known.has(event.id) })),
  }))
}

interface Reader {
  readonly group: string
  readonly handled: ReadonlySet<EventType>
  readonly known: ReadonlySet<string>
}

async function readersOf(config: Config, pool: Pool, events: readonly Unread[]): Promise<Reader[]> {
  const readers: Reader[] = []
  for (const group of consumerFolders()) {
    const handled = new Set(Object.keys((await loadConsumer(group, config)).handlers) as EventType[])
    const ids = events.flatMap(({ id, type }) => (type !== null && handled.has(type) ? id : []))
    if (ids.length > 0)
      readers.push({ group, handled, known: await knownIds(pool, schemaName(config.namespace, group), ids) })
  }
  return readers
}

async function knownIds(pool: Pool, schema: string, ids: readonly string[]): Promise<Set<string>> {
  const inbox = `"${schema}".inbox`
  const { rows: found } = await pool.query<{ there: boolean }>('select to_regclass($1) is not null as there', [inbox])
  if (!found[0]?.there) return new Set() // Never deployed
  const { rows } = await pool.query<{ event_id: string }>(
    `select event_id from ${inbox} where event_id = any($1::uuid[])`,
    [ids],
  )
  return new Set(rows.map((row) => row.event_id))
}
