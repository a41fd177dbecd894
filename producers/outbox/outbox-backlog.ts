import type { Pool } from '../../infra/postgres/pool.ts'

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

/** The unpublished events of a service. */
export interface OutboxBacklog {
  /** Number of events. */
  readonly waiting: number
  /** Age of the oldest among the lanes' next unpublished events, milliseconds; null if there is none. */
  readonly oldestMs: number | null
}

/** @param schema quoted */
export async function readOutboxBacklog(pool: Pool, schema: string): Promise<OutboxBacklog> {
  const { rows } = await pool.query<OutboxBacklog>(
    `select (select count(*) from ${schema}.outbox) as waiting,
       (select max(greatest(0, extract(epoch from clock_timestamp() - (o.headers::json ->> 'ce_time')::timestamptz) * 1000)::float8)
        from (select distinct on (lane) headers from ${schema}.outbox order by lane, seq) as o) as "oldestMs"`,
  )
  return rows[0] ?? { waiting: 0, oldestMs: null }
}

/** The number of the first row that waits, by lane; lanes with none are missing. @param schema quoted */
export async function readFirstWaiting(pool: Pool, schema: string): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ lane: number; seq: number }>(
    `select lane, min(seq) as seq from ${schema}.outbox group by lane`,
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

/** Unpublished events of a key, at most 100. @param schema quoted */
export async function readUnpublished(
  pool: Pool,
  schema: string,
  { lane, key }: { lane: number; key: string },
): Promise<UnpublishedEvent[]> {
  const { rows } = await pool.query<UnpublishedEvent>(
    `select event_id as "eventId", topic, headers::json ->> 'ce_type' as type, seq
     from ${schema}.outbox where lane = $1 and key = $2 order by seq limit 100`,
    [lane, key],
  )
  return rows
}
