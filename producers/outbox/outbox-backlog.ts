import type { Pool } from '../../infra/postgres/pool.ts'
import { eventsOf } from './outbox-batch.ts'
import type { OutboxBatch } from './outbox-batch.ts'
import { batchColumns } from './outbox-table.ts'

/** The numbers that a lane has assigned and its unpublished rows, according to the service's database. */
export interface OutboxLane {
  /** The number of its next event. */
  nextSeq: number
  /** Event ids of the unpublished rows, by number. */
  waiting: ReadonlyMap<number, string>
  /**
   * Numbers of events that were moved to another lane when the partition count changed; some may have been published.
   */
  withdrawn?: readonly SeqRange[]
}

/** Numbers `[first, next)`. */
export interface SeqRange {
  first: number
  next: number
}

/** Every lane of a service. @param schema quoted */
export async function readOutboxLanes(pool: Pool, schema: string): Promise<Map<number, OutboxLane>> {
  // A single statement, because a row deleted between two would appear to be lost
  const { rows } = await pool.query<LaneAndBatch>(
    `select ${batchColumns}, next_seq,
       (select coalesce(json_agg(json_build_object('first', first_seq, 'next', w.next_seq)), '[]')
        from ${schema}.withdrawn as w where w.lane = lane.lane) as withdrawn
     from ${schema}.lane left join ${schema}.outbox_batch using (lane) order by lane, first_seq`,
  )
  const lanes = new Map<number, OutboxLane & { waiting: Map<number, string> }>()
  for (const row of rows) {
    const { lane, next_seq: nextSeq, withdrawn } = row
    const known = lanes.get(lane) ?? { nextSeq, withdrawn, waiting: new Map() }
    lanes.set(lane, known)
    if (row.first !== null) for (const { seq, eventId } of eventsOf(row as OutboxBatch)) known.waiting.set(seq, eventId)
  }
  return lanes
}

interface LaneAndBatch extends Omit<OutboxBatch, 'first'> {
  readonly next_seq: number
  /** Null where nothing waits. */
  readonly first: number | null
  readonly withdrawn: SeqRange[]
}

/** The unpublished events of a service. */
export interface OutboxBacklog {
  /** Number of events. */
  readonly waiting: number
  /** Age of the oldest by the database's clock, milliseconds; null if there is none. */
  readonly oldestMs: number | null
}

/** @param schema quoted */
export async function readOutboxBacklog(pool: Pool, schema: string): Promise<OutboxBacklog> {
  const { rows } = await pool.query<OutboxBacklog>(
    `select coalesce(sum(last_seq - first_seq + 1), 0)::bigint as waiting,
       max(greatest(0, extract(epoch from clock_timestamp() - written_at) * 1000)::float8) as "oldestMs"
     from ${schema}.outbox_batch`,
  )
  return rows[0] ?? { waiting: 0, oldestMs: null }
}

/** The number of the first event that waits, by lane; lanes with none are missing. @param schema quoted */
export async function readFirstWaiting(pool: Pool, schema: string): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ lane: number; seq: number }>(
    `select lane, min(first_seq) as seq from ${schema}.outbox_batch group by lane`,
  )
  return new Map(rows.map(({ lane, seq }) => [lane, seq]))
}

/** An unpublished event of one key. */
export interface UnpublishedEvent {
  readonly eventId: string
  readonly topic: string
  readonly type: string
  readonly seq: number
}

/** Unpublished events of a key, at most 100. Decodes what its lane holds, a page at a time. @param schema quoted */
export async function readUnpublished(
  pool: Pool,
  schema: string,
  { lane, key }: { lane: number; key: string },
): Promise<UnpublishedEvent[]> {
  const found: UnpublishedEvent[] = []
  for (let after = 0; found.length < 100; ) {
    const { rows } = await pool.query<OutboxBatch>(
      `select ${batchColumns} from ${schema}.outbox_batch where lane = $1 and first_seq > $2 order by first_seq limit 50`,
      [lane, after],
    )
    for (const event of rows.flatMap(eventsOf)) {
      const { eventId, topic, headers, seq } = event
      if (event.key === key) found.push({ eventId, topic, type: headers['ce_type'] ?? '', seq })
    }
    const end = rows.at(-1)
    if (!end) break
    after = end.last
  }
  return found.slice(0, 100)
}
