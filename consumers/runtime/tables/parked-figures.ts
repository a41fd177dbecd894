import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { ParkedInput } from '../model.ts'

/** SQL condition on `parked`: only an operator can make the event due. */
const stuck = `next_attempt_at is null and reason <> 'BEHIND'`

/**
 * Figures about all parked events of a group. A `schema` is quoted; without one, the connection's search path applies.
 */

const first = prepared<{ topic: string; partition: number; first: number }>(
  'rebuild_first_parked',
  `select topic, partition, min("offset") as first from parked where source = 'record' group by topic, partition`,
)

/** The first offset that is parked, by `topic/partition`. */
export const firstParkedOffsets = async (tx: Tx): Promise<Map<string, number>> =>
  new Map((await first(tx)).map((row) => [`${row.topic}/${row.partition}`, row.first]))

const total = prepared<{ events: number }>('rebuild_parked', 'select count(*) as events from parked')

/** How many events are parked. */
export const totalParked = async (tx: Tx): Promise<number> => (await total(tx))[0]?.events ?? 0

const tally = prepared<{ retrying: number; stuck: number }>(
  'meter_parked',
  `select count(*) filter (where next_attempt_at is not null or reason = 'BEHIND') as retrying,
     count(*) filter (where ${stuck}) as stuck from parked`,
)

/** How many events are parked: those that are retried or queue behind others, and those that wait for an operator. */
export const countParked = async (pool: Pool): Promise<{ retrying: number; stuck: number }> =>
  (await tally(pool))[0] ?? { retrying: 0, stuck: 0 }

/** A parked event as a report shows it. */
export interface ReportedEvent {
  key: string
  /** Type of the event, or kind of the call or timer. */
  type: string | null
  reason: string
  source: string
  /** The place of the record; the source of an answer or timer. */
  place: string
  error: string | null
}

/** SQL expression on `parked` and `parked_audit`: the place of a record; the source of an answer or timer. */
export const placeOrSource = `coalesce(topic || '/' || partition || ' offset ' || "offset", source)`

/** All parked events of a group, in order. */
export const reportParked = async (tx: Tx, schema: string): Promise<ReportedEvent[]> =>
  (
    await tx.query<ReportedEvent>(
      `select key, type, reason, source, ${placeOrSource} as place, error from ${schema}.parked order by id`,
    )
  ).rows

/**
 * A query of the number of parked events per lane: all (`rows`), and those that only an operator can make due
 * (`stuck`).
 */
export const parkedByLane = (schema: string): string =>
  `select lane, count(*) as rows, count(*) filter (where ${stuck}) as stuck
      from ${schema}.parked group by 1`

/** Events in a wrong lane, oldest first. */
export const readMisrouted = async (tx: Tx): Promise<{ id: number; lane: number; key: string }[]> =>
  (
    await tx.query<{ id: number; lane: number; key: string }>(
      `select id, lane, key from parked where reason = 'MISROUTED' order by id`,
    )
  ).rows

/** The oldest event in a lane of this number or a higher one. */
export const firstBeyond = async (tx: Tx, lanes: number): Promise<{ id: number; lane: number } | undefined> =>
  (
    await tx.query<{ id: number; lane: number }>('select id, lane from parked where lane >= $1 order by id limit 1', [
      lanes,
    ])
  ).rows[0]

/** An event that waits for an operator, or whose record has the requested header. */
export interface StuckEvent {
  id: number
  /** Whether its record has the header. */
  marked: boolean
}

/** Events that wait for an operator, and all events whose record has this header. */
export const listStuck = async (tx: Tx, header: string): Promise<StuckEvent[]> =>
  (
    await tx.query<StuckEvent>(
      `select id, headers ->> $1 is not null as marked from parked
       where ${stuck} or headers ->> $1 is not null`,
      [header],
    )
  ).rows

/**
 * Like `schemaIdOf`: a zero byte, then the id. Must not fail on shorter values: SQL may evaluate conditions in any
 * order.
 */
const schemaId = `('x' || encode(substring(value from 2 for 4), 'hex'))::bit(32)::int`
const framed = `length(value) >= 5 and substring(value for 1) = '\\x00'`

/** Schema ids of the parked values, with their numbers. */
export const parkedSchemas = prepared<{ id: number; parked: number }>(
  'replay_schemas_parked',
  `select id, count(*) as parked from (
     select ${schemaId} as id from parked where source = 'record' and ${framed}) as waiting
   where id > 0 group by id order by id limit 1000`,
)

/** SQL: an error without what differs from event to event, as in the column `cause`. */
const signatureOf = (
  error: string,
): string => String.raw`regexp_replace(regexp_replace(left(coalesce(${error}, ''), 300),
  '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '‹id›', 'gi'), '\d+', '‹n›', 'g')`

/** Parked events of a group that have one cause: alike in reason, type and, up to numbers and ids, in their error. */
export interface ParkedCause {
  /** Eight characters that are the same for events of one cause. */
  readonly cause: string
  readonly reason: ParkedInput['reason']
  readonly source: string
  readonly type: string | null
  /** The error with `‹n›` for numbers and `‹id›` for ids. */
  readonly signature: string
  readonly events: number
  readonly keys: number
  /** Events that only an operator can make due. */
  readonly stuck: number
  readonly firstAt: Date
  readonly lastAt: Date
  /** Its oldest event. */
  readonly oldestId: number
}

const causes = prepared<ParkedCause>(
  'parked_causes',
  `select cause, reason, source, type, ${signatureOf('min(error)')} as signature, count(*) as events,
     count(distinct key) as keys, count(*) filter (where ${stuck}) as stuck,
     min(parked_at) as "firstAt", max(parked_at) as "lastAt", min(id) as "oldestId"
   from parked group by cause, reason, source, type order by reason = 'BEHIND', count(*) desc, cause limit 200`,
)

/** The causes of a group's parked events, the most frequent first; those that only wait behind others come last. */
export const listCauses = (pool: Pool): Promise<ParkedCause[]> => causes(pool)
