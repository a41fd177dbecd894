import type { Pool } from '../../infra/postgres/pool.ts'
import type { Tx } from '../../infra/postgres/transaction.ts'
import { prepared } from '../../infra/postgres/transaction.ts'
import { inGeneration } from '../../schemas/topics.ts'

/** An event a transaction wants published: final bytes, numbered without gaps within its lane. */
export interface OutboxRow {
  lane: number
  seq: number
  eventId: string
  /** Without namespace. */
  topic: string
  key: string
  /** JSON object of strings. */
  headers: string
  value: Buffer
}

/** An event without a number yet. */
export type UnnumberedEvent = Omit<OutboxRow, 'lane' | 'seq' | 'headers'> & { headers: Record<string, string> }

export interface Numbering {
  /** As in `ce_sourcelane`. */
  writer: string
  lane: number
  firstSeq: number
  /** Of the topics the events go to. */
  generation: number
}

/**
 * Numbers a lane's events from `firstSeq` on and adds lane and number to their headers (`ce_sourcelane`,
 * `ce_sequence`), so that a reader of the topics can check that none is missing. The topics' generation is fixed here
 * as well, under the lane's lock, so that the publisher of the rows need not know it.
 */
export function numberEvents(
  events: readonly UnnumberedEvent[],
  { writer, lane, firstSeq, generation }: Numbering,
): OutboxRow[] {
  return events.map((event, index) => {
    const seq = firstSeq + index
    const headers = JSON.stringify({ ...event.headers, ce_sourcelane: `${writer}/${lane}`, ce_sequence: String(seq) })
    return { ...event, topic: inGeneration(event.topic, generation), lane, seq, headers }
  })
}

const append = prepared(
  'outbox_append',
  `insert into outbox (lane, seq, event_id, topic, key, headers, value)
   select * from unnest($1::int[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[])`,
)

/** Appends rows that were numbered under the locks of their lanes' rows. */
export async function appendOutbox(tx: Tx, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return
  const column = <K extends keyof OutboxRow>(name: K) => rows.map((row) => row[name])
  await append(
    tx,
    column('lane'),
    column('seq'),
    column('eventId'),
    column('topic'),
    column('key'),
    column('headers'),
    column('value'),
  )
}

const read = prepared<OutboxRow>(
  'outbox_read',
  `select lane, seq, event_id as "eventId", topic, key, headers, value
   from (select *, sum(octet_length(value)) over (order by seq) - octet_length(value) as before
     from outbox where lane = $1 and seq > $2 order by seq limit $3) as next
   where before < $4 order by seq`,
)

/**
 * The lane's next rows after `afterSeq`, in order. Visible rows have no gap: numbers are assigned under the lane's
 * lock.
 * @param maxBytes the last row is the one with which the values have this size
 */
export const readOutboxRows = (
  pool: Pool,
  lane: number,
  afterSeq: number,
  limit: number,
  maxBytes: number,
): Promise<OutboxRow[]> => read(pool, lane, afterSeq, limit, maxBytes)

const remove = prepared(
  'outbox_remove',
  `delete from outbox using unnest($1::int[], $2::bigint[], $3::bigint[]) as published (lane, first, last)
   where outbox.lane = published.lane and outbox.seq between published.first and published.last`,
)

/** Numbers of a lane's rows, both inclusive. */
export interface SeqRange {
  readonly first: number
  readonly last: number
}

/**
 * Deletes rows that the broker has acknowledged, by lane. Repeating it is harmless. The lower bound keeps the index
 * scan away from the entries of rows deleted before, which stay in the index until it is vacuumed.
 */
export async function removePublished(db: Tx, published: ReadonlyMap<number, SeqRange>): Promise<void> {
  const ranges = [...published].sort(([a], [b]) => a - b)
  await remove(
    db,
    ranges.map(([lane]) => lane),
    ranges.map(([, { first }]) => first),
    ranges.map(([, { last }]) => last),
  )
}

/** Events not published yet. @param schema quoted; @default the connection's */
export async function countUnpublished(db: Tx, schema?: string): Promise<number> {
  const { rows } = await db.query<{ waiting: number }>(`select count(*) as waiting from ${tableIn(schema, 'outbox')}`)
  return rows[0]?.waiting ?? 0
}

const tableIn = (schema: string | undefined, table: string): string =>
  schema === undefined ? table : `${schema}.${table}`

/** Prevents inserts and deletes by other transactions until this transaction ends. */
export const lockOutbox = (tx: Tx): Promise<unknown> => tx.query('lock table outbox in exclusive mode')

/** The lanes, numbers and keys of all rows, in the order they are to be published. */
export async function readKeys(tx: Tx): Promise<Pick<OutboxRow, 'lane' | 'seq' | 'key'>[]> {
  const { rows } = await tx.query<Pick<OutboxRow, 'lane' | 'seq' | 'key'>>(
    'select lane, seq, key from outbox order by lane, seq',
  )
  return rows
}

/** A row's present place and its next one. */
export interface Renumbering {
  readonly lane: number
  readonly seq: number
  readonly toLane: number
  readonly toSeq: number
}

/** Moves rows of the orders API to other lanes and numbers, and to the topics of a generation. */
export const renumber = (tx: Tx, rows: readonly Renumbering[], generation: number): Promise<unknown> =>
  tx.query(
    `update outbox set lane = to_lane, seq = to_seq, topic = regexp_replace(topic, '\\.g\\d+$', '') || $5,
       headers = (headers::jsonb || jsonb_build_object('ce_sourcelane', 'orders-api/' || to_lane, 'ce_sequence', to_seq::text))::text
     from unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[]) as moved (from_lane, from_seq, to_lane, to_seq)
     where lane = from_lane and seq = from_seq`,
    [
      rows.map(({ lane }) => lane),
      rows.map(({ seq }) => seq),
      rows.map(({ toLane }) => toLane),
      rows.map(({ toSeq }) => toSeq),
      `.g${generation}`,
    ],
  )
