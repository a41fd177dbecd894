import { countAudit, readDropped } from '../runtime/tables/audit.ts'
import type { AuditCount, DroppedEvent } from '../runtime/tables/audit.ts'
import { reportParked } from '../runtime/tables/parked-figures.ts'
import type { ReportedEvent } from '../runtime/tables/parked-figures.ts'
import { consumerFolders, loadConsumer, schemaName } from '../runtime/load-consumer.ts'
import type { Config } from '../../infra/config.ts'
import { quoteIdentifier } from '../../infra/postgres/identifiers.ts'
import { TallyError } from '../../infra/errors.ts'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Tx } from '../../infra/postgres/transaction.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { inGeneration, topicOf } from '../../schemas/topics.ts'
import type { Span } from './tiling.ts'

/** A service that writes events: its outbox. */
export interface Writer {
  /** As in `ce_sourcelane`: the group, or `orders-api`. */
  name: string
  /** Database schema, quoted. */
  schema: string
}

/** A service that reads events, too. */
export interface Group extends Writer {
  handles: ReadonlySet<EventType>
  /** Whether it was to read topics from their beginning. */
  begins: 'first' | 'now'
  /** Topics it reads, without namespace. */
  topics: ReadonlySet<string>
}

/** A group's own account of what it read. */
export interface GroupBooks {
  /** Spans by topic and partition, `orders/3`. */
  ledger: ReadonlyMap<string, readonly Span[]>
  inbox: { rows: number; distinct: number }
  parked: readonly ReportedEvent[]
  /** What became of parked events, and what operators did to them. */
  audit: readonly AuditCount[]
  /** Events that operators dropped: they took no effect. */
  dropped: readonly DroppedEvent[]
}

/** A lane as the service's database has it. */
export interface OutboxLane {
  /** The number its next event gets. */
  nextSeq: number
  /** Event ids by number of rows that wait to be published. */
  waiting: ReadonlyMap<number, string>
  /** Of events that got a number of another lane when the partition count changed; they may have been published before. */
  withdrawn?: readonly SeqRange[]
}

/** Numbers `[first, next)`. */
export interface SeqRange {
  first: number
  next: number
}

export const ordersWriter = ({ namespace }: Config): Writer => ({
  name: 'orders-api',
  schema: quoteIdentifier(schemaName(namespace, 'orders')),
})

/** Which of these have tables: one that was removed, or never deployed, has nothing to be looked at. */
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
 * Every consumer there is a folder of, and what it reads.
 * @param generations of the topics. @default the configuration's
 */
export function readGroups(config: Config, generations: readonly number[] = [config.generation]): Promise<Group[]> {
  return Promise.all(
    consumerFolders().map(async (folder) => {
      const { handlers, begins = 'first' } = await loadConsumer(folder, config)
      const handles = Object.keys(handlers) as EventType[]
      return {
        name: folder,
        schema: quoteIdentifier(schemaName(config.namespace, folder)),
        handles: new Set(handles),
        begins,
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

/** The numbers each lane has given and the rows that wait. */
export async function readOutbox(pool: Pool, { schema }: Writer): Promise<Map<number, OutboxLane>> {
  // One statement sees one moment: a row that leaves between two would look lost
  const { rows } = await pool.query<{
    lane: number
    next_seq: number
    seqs: number[]
    ids: string[]
    withdrawn: SeqRange[]
  }>(
    `select lane, next_seq, coalesce(array_agg(seq) filter (where seq is not null), '{}') as seqs,
            coalesce(array_agg(event_id::text) filter (where seq is not null), '{}') as ids,
            (select coalesce(json_agg(json_build_object('first', first_seq, 'next', w.next_seq)), '[]')
             from ${schema}.withdrawn as w where w.lane = lane.lane) as withdrawn
     from ${schema}.lane left join ${schema}.outbox using (lane) group by lane, next_seq`,
  )
  return new Map(
    rows.map(({ lane, next_seq, seqs, ids, withdrawn }) => [
      lane,
      { nextSeq: next_seq, waiting: new Map(seqs.map((seq, index) => [Number(seq), ids[index] ?? ''])), withdrawn },
    ]),
  )
}

/** All of a group's books at one moment: an event that is handled in between would be in two of them, or in none. */
export async function readBooks(pool: Pool, group: Group): Promise<GroupBooks> {
  return inTransaction(pool, async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only')
    return readTables(tx, group)
  })
}

async function readTables(tx: Tx, { schema }: Group): Promise<GroupBooks> {
  const spans = await tx.query<Span & { topic: string; partition: number }>(
    `select topic, partition, epoch, first_offset as first, next_offset as next, taken, duplicates, ignored, parked, holes,
            replay
     from ${schema}.ledger`,
  )
  // Uniqueness is checked within each partition of the table only by its key: count over all of them
  const inbox = await tx.query<GroupBooks['inbox']>(
    `select count(*) as rows, count(distinct event_id) as distinct from ${schema}.inbox`,
  )
  const parked = await reportParked(tx, schema)
  const audit = await countAudit(tx, schema)
  const dropped = await readDropped(tx, schema)
  const byPlace = Map.groupBy(spans.rows, ({ topic, partition }) => `${topic}/${partition}`)
  const ledger = new Map(
    [...byPlace].map(([at, rows]) => [at, rows.map(({ topic: _topic, partition: _partition, ...span }) => span)]),
  )
  return {
    ledger,
    inbox: inbox.rows[0] ?? { rows: 0, distinct: 0 },
    parked,
    audit,
    dropped,
  }
}
