import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'

// Reads a group's ledger for commands. The owner of a lane uses ledger.ts

/** The group's next offset by topic and partition, `orders/3`. @param schema quoted */
export async function readNextOffsets(pool: Pool, schema: string): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ place: string; next: number }>(
    `select distinct on (topic, partition) topic || '/' || partition as place, next_offset as next from ${schema}.ledger
     order by topic, partition, epoch desc`,
  )
  return new Map(rows.map(({ place, next }) => [place, next]))
}

/** A row of a ledger: how one epoch processed the offsets `[first, next)` of a partition. */
export interface Span {
  epoch: number
  first: number
  next: number
  taken: number
  duplicates: number
  ignored: number
  parked: number
  holes: number
  /** The replay during which the offsets were read again; null if they were read for the first time. */
  replay: number | null
}

/** The spans of a group by topic and partition, `orders/3`. @param schema quoted @param topics @default all */
export async function readSpans(db: Tx, schema: string, topics?: Iterable<string>): Promise<Map<string, Span[]>> {
  const { rows } = await db.query<Span & { place: string }>(
    `select topic || '/' || partition as place, epoch, first_offset as first, next_offset as next, taken, duplicates, ignored,
            parked, holes, replay
     from ${schema}.ledger where $1::text[] is null or topic = any($1)`,
    [topics ? [...topics] : null],
  )
  const byPlace = Map.groupBy(rows, ({ place }) => place)
  return new Map([...byPlace].map(([place, spans]) => [place, spans.map(({ place: _place, ...span }) => span)]))
}

/** All topics the group has read so far. @param schema quoted */
export async function readTopics(pool: Pool, schema: string): Promise<string[]> {
  const { rows } = await pool.query<{ topic: string }>(`select distinct topic from ${schema}.ledger`)
  return rows.map(({ topic }) => topic)
}

/** The number of duplicates the group has dropped. @param schema quoted */
export async function countDuplicates(pool: Pool, schema: string): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(
    `select coalesce(sum(duplicates), 0)::int as n from ${schema}.ledger`,
  )
  return rows[0]?.n ?? 0
}

/** The offsets of one partition that a group's replicas have read again during a replay. */
export interface Redelivered {
  readonly topic: string
  readonly partition: number
  /** Offset reached, exclusive. */
  readonly next: number
  readonly taken: number
  readonly duplicates: number
  readonly ignored: number
  readonly parked: number
}

const redelivered = prepared<{ [K in keyof Redelivered]: Redelivered[K] }>(
  'replay_redelivered',
  `select topic, partition, max(next_offset) as next, sum(taken)::bigint as taken, sum(duplicates)::bigint as duplicates,
     sum(ignored)::bigint as ignored, sum(parked)::bigint as parked
   from ledger where replay = $1 group by topic, partition`,
)

export const readRedelivered = (tx: Tx, replay: number): Promise<Redelivered[]> => redelivered(tx, replay)

/** How far a group has read a partition, and which replays have read which of its offsets again. */
export interface PartitionReading {
  readonly topic: string
  readonly next: number
  readonly replays: readonly { readonly replay: number; readonly first: number; readonly next: number }[]
}

/** By topic, for one partition number. */
export async function readPartition(tx: Tx, partition: number): Promise<PartitionReading[]> {
  const { rows } = await tx.query<PartitionReading>(
    `select topic, (array_agg(next_offset order by epoch desc))[1] as next,
       coalesce(json_agg(json_build_object('replay', replay, 'first', first_offset, 'next', next_offset) order by epoch)
         filter (where replay is not null), '[]') as replays
     from ledger where partition = $1 group by topic`,
    [partition],
  )
  return rows
}
