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

/** An event that has no number yet. */
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
 * Numbers a lane's events from `firstSeq` on, and writes into their headers where they come from, so that a reader of
 * the topics can tell that none is missing (`ce_sourcelane`, `ce_sequence`). Which topics they go to is said here as well,
 * under the lane's lock: whoever publishes the rows needs to know nothing of generations.
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

const advance = prepared(
  'lanes_advance',
  `update lane set next_seq = next_seq + count
   from unnest($1::int[], $2::bigint[]) as written (lane, count) where lane.lane = written.lane`,
)

/** Counts the events written to locked lanes. */
export async function advanceLanes(tx: Tx, written: ReadonlyMap<number, number>): Promise<void> {
  const some = [...written].filter(([, count]) => count > 0)
  if (some.length === 0) return
  await advance(
    tx,
    some.map(([lane]) => lane),
    some.map(([, count]) => count),
  )
}

const read = prepared<OutboxRow>(
  'outbox_read',
  `select lane, seq, event_id as "eventId", topic, key, headers, value
   from outbox where lane = $1 and seq > $2 order by seq limit $3`,
)

/** The lane's next rows after `afterSeq`, in order. What is visible has no gap: numbers are given under the lane's lock. */
export const readOutbox = (pool: Pool, lane: number, afterSeq: number, limit: number): Promise<OutboxRow[]> =>
  read(pool, lane, afterSeq, limit)

const remove = prepared(
  'outbox_remove',
  `delete from outbox using unnest($1::int[], $2::bigint[]) as published (lane, seq)
   where outbox.lane = published.lane and outbox.seq <= published.seq`,
)

/** Deletes all rows of each lane up to a number the broker has acknowledged. Repeating it is harmless. */
export async function removePublished(pool: Pool, upTo: ReadonlyMap<number, number>): Promise<void> {
  const lanes = [...upTo.keys()].sort((a, b) => a - b)
  await remove(
    pool,
    lanes,
    lanes.map((lane) => upTo.get(lane)),
  )
}
