import type { Tx } from '../../infra/postgres/transaction.ts'
import { BytesParameter } from '../../infra/postgres/bytes-array.ts'
import { prepared } from '../../infra/postgres/transaction.ts'
import type { OutboxBatch } from './outbox-batch.ts'

const append = prepared(
  'outbox_append',
  `insert into outbox_batch (lane, first_seq, last_seq, topic, compression, bytes, records)
   select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::int[], $7::bytea[])`,
)

/** Appends batches that were numbered under the locks of their lanes' rows. */
export async function appendOutbox(tx: Tx, batches: readonly OutboxBatch[]): Promise<void> {
  if (batches.length === 0) return
  const column = <K extends keyof OutboxBatch>(name: K) => batches.map((batch) => batch[name])
  await append(
    tx,
    column('lane'),
    column('first'),
    column('last'),
    column('topic'),
    column('compression'),
    column('bytes'),
    new BytesParameter(column('records')),
  )
}

/** A row as a batch. */
export const batchColumns = `lane, first_seq as first, last_seq as last, last_seq - first_seq + 1 as count, topic, compression, bytes,
  records, (extract(epoch from written_at) * 1000)::bigint as "writtenAt"`

const read = prepared<{ [K in keyof OutboxBatch]: OutboxBatch[K] }>(
  'outbox_read',
  `select ${batchColumns}
   from (select *, sum(octet_length(records)) over (order by first_seq) - octet_length(records) as held,
       sum(last_seq - first_seq + 1) over (order by first_seq) - (last_seq - first_seq + 1) as events
     from outbox_batch where lane = $1 and first_seq > $2 order by first_seq limit $3) as next
   where events < $3 and held < $4 order by first_seq`,
)

/**
 * The lane's next batches after `afterSeq`, in order. Visible rows have no gap: numbers are assigned under the lane's
 * lock.
 * @param events the last batch is the one with which there are this many
 * @param maxBytes the last batch is the one with which the records have this size as they are held
 */
export const readOutboxBatches = (
  db: Tx,
  lane: number,
  afterSeq: number,
  events: number,
  maxBytes: number,
): Promise<OutboxBatch[]> => read(db, lane, afterSeq, events, maxBytes)

const remove = prepared(
  'outbox_remove',
  `delete from outbox_batch using unnest($1::int[], $2::bigint[], $3::bigint[]) as published (lane, first, last)
   where outbox_batch.lane = published.lane and first_seq between published.first and published.last
     and last_seq <= published.last`,
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
  const { rows } = await db.query<{ waiting: number }>(
    `select coalesce(sum(last_seq - first_seq + 1), 0)::bigint as waiting from ${tableIn(schema, 'outbox_batch')}`,
  )
  return rows[0]?.waiting ?? 0
}

const tableIn = (schema: string | undefined, table: string): string =>
  schema === undefined ? table : `${schema}.${table}`

/** Prevents inserts and deletes by other transactions until this transaction ends. */
export const lockOutbox = (tx: Tx): Promise<unknown> => tx.query('lock table outbox_batch in exclusive mode')

/** The batches of one lane, page by page, in the order they are to be published. */
export async function* readLane(db: Tx, lane: number): AsyncGenerator<OutboxBatch> {
  for (let after = 0; ; ) {
    const page = await readOutboxBatches(db, lane, after, 10_000, 16 * 2 ** 20)
    yield* page
    const end = page.at(-1)
    if (!end) return
    after = end.last
  }
}

/** The lanes with events that wait. */
export async function readWaitingLanes(db: Tx): Promise<number[]> {
  const { rows } = await db.query<{ lane: number }>('select distinct lane from outbox_batch order by lane')
  return rows.map(({ lane }) => lane)
}
