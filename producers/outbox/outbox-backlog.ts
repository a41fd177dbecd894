import type { Pool } from '../../infra/postgres/pool.ts'

/** The numbers a lane has given and the rows that wait, as the service's database has them. */
export interface OutboxLane {
  /** The number of its next event. */
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

/** Every lane of a service. @param schema quoted */
export async function readOutboxLanes(pool: Pool, schema: string): Promise<Map<number, OutboxLane>> {
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

/** What a service has not published yet. */
export interface OutboxBacklog {
  /** Events. */
  readonly waiting: number
  /** Age of the oldest of each lane's next rows, milliseconds; null if none waits. */
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
