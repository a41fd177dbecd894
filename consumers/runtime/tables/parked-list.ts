import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { ParkedInput } from '../model.ts'
import { parkedColumns } from './parked-row.ts'
import type { ParkedRow } from './parked-row.ts'

/** Selects parked events of a group. All given conditions must hold; without any, all events are selected. */
export interface Selection {
  readonly ids?: readonly number[]
  readonly keys?: readonly string[]
  readonly reasons?: readonly ParkedInput['reason'][]
  /** Excludes events parked after this one, so that an operator changes no event that was not shown. */
  readonly upTo?: number
  /** Records, named like `orders/3:1200`. */
  readonly records?: readonly string[]
  /** Causes, as `listCauses` names them. */
  readonly causes?: readonly string[]
}

const recordName = `topic || '/' || partition || ':' || "offset"`

/** A condition on `parked`; takes the parameters $1 to $6. */
const selected = `($1::bigint[] is null or id = any($1)) and ($2::text[] is null or key = any($2))
  and ($3::text[] is null or reason = any($3)) and ($4::bigint is null or id <= $4)
  and ($5::text[] is null or ${recordName} = any($5)) and ($6::text[] is null or cause = any($6))`

const valuesOf = ({ ids, keys, reasons, upTo, records, causes }: Selection): unknown[] => [
  ids ?? null,
  keys ?? null,
  reasons ?? null,
  upTo ?? null,
  records ?? null,
  causes ?? null,
]

/** Parked events that have one reason. */
export interface ParkedCount {
  readonly reason: ParkedInput['reason']
  readonly events: number
  /** How many of them are the first of their key. The others wait behind them. */
  readonly heads: number
  /** Heads that the owner does not retry. */
  readonly waitForPerson: number
  readonly oldest: Date
  /** When the owner makes its next retry. */
  readonly nextAttemptAt: Date | null
  readonly lastId: number
}

/** Summary of a parked event. */
export interface ParkedEntry {
  readonly id: number
  readonly lane: number
  readonly key: string
  readonly source: string
  readonly type: string | null
  readonly place: string | null
  /** `orders/3:1200`; null for an answer or timer. */
  readonly record: string | null
  readonly reason: ParkedInput['reason']
  readonly error: string | null
  readonly attempts: number
  readonly parkedAt: Date
  readonly nextAttemptAt: Date | null
  /** The id of the first event of its key, possibly its own. */
  readonly head: number
  /** Number of events of its key that wait behind it. */
  readonly behind: number
}

/** Parked events with the head of their queue, and how many wait behind them. @param which condition on their keys */
const withHeads = (which = 'true') => `(select *, min(id) over key_queue as head,
    count(*) over (key_queue rows between 1 following and unbounded following) as behind
  from parked where ${which} window key_queue as (partition by lane, key order by id)) queued`

const counts = prepared<ParkedCount>(
  'parked_counts',
  `select reason, count(*) as events, count(*) filter (where id = head) as heads,
     count(*) filter (where id = head and next_attempt_at is null) as "waitForPerson", min(parked_at) as oldest,
     min(next_attempt_at) as "nextAttemptAt", max(id) as "lastId"
   from ${withHeads()} where ${selected} group by reason order by count(*) desc, reason`,
)

/** The number of parked events by reason, most frequent first. */
export const countParked = (pool: Pool, selection: Selection): Promise<ParkedCount[]> =>
  counts(pool, ...valuesOf(selection))

const entries = (newestFirst: boolean) =>
  prepared<ParkedEntry>(
    newestFirst ? 'parked_newest' : 'parked_oldest',
    `with found as materialized (
       select id, lane, key from parked where ${selected} order by id ${newestFirst ? 'desc' : ''} limit $7)
     select id, lane, key, source, type, topic || '/' || partition || ' offset ' || "offset" as place,
       ${recordName} as record, reason, error,
       attempts, parked_at as "parkedAt", next_attempt_at as "nextAttemptAt", head, behind
     from ${withHeads('(lane, key) in (select lane, key from found)')} where id in (select id from found)
     order by id ${newestFirst ? 'desc' : ''}`,
  )
const oldest = entries(false)
const newest = entries(true)

/** The oldest (or newest) parked events. */
export const listParked = (
  pool: Pool,
  selection: Selection,
  { limit, newestFirst = false }: { limit: number; newestFirst?: boolean },
): Promise<ParkedEntry[]> => (newestFirst ? newest : oldest)(pool, ...valuesOf(selection), limit)

const one = prepared<ParkedRow>('parked_read', `select ${parkedColumns} from parked where id = $1`)

/** A parked event with all its columns; undefined if it is not parked. */
export const readParked = async (pool: Pool, id: number): Promise<ParkedRow | undefined> => (await one(pool, id))[0]

const ofKeys = prepared<ParkedRow>(
  'parked_of_keys',
  `select ${parkedColumns} from parked where key = any($1::text[]) order by id`,
)

/** All parked events of these keys. */
export const readParkedOf = (pool: Pool, keys: readonly string[]): Promise<ParkedRow[]> => ofKeys(pool, keys)

const queue = prepared<ParkedRow>(
  'parked_queue',
  `select ${parkedColumns} from parked where lane = $1 and key = $2 order by id limit $3`,
)

/** Everything parked under a key, in the order in which it will be handled. */
export const readQueue = (pool: Pool, lane: number, key: string, limit: number): Promise<ParkedRow[]> =>
  queue(pool, lane, key, limit)

const keys = prepared<{ lane: number; key: string }>(
  'parked_selected_keys',
  `select lane, key from parked where ${selected} group by lane, key order by lane, min(id) limit $7`,
)

/** Keys of the selected events, by lane; those parked longest first. */
export const selectedKeys = (
  pool: Pool,
  selection: Selection,
  limit: number,
): Promise<{ lane: number; key: string }[]> => keys(pool, ...valuesOf(selection), limit)

const lanes = prepared<{ lane: number }>(
  'parked_lanes',
  `select distinct lane from parked where ${selected} order by lane`,
)

/** Lanes of the selected events. */
export const selectedLanes = async (pool: Pool, selection: Selection): Promise<number[]> =>
  (await lanes(pool, ...valuesOf(selection))).map(({ lane }) => lane)

/** A key whose parked events are to be handled, from its head on. */
export interface AskedKey {
  readonly lane: number
  readonly key: string
  /** All parked events of the key, in order; the first is the head. */
  readonly ids: readonly number[]
  /** Time by the database's clock; text, because it is more precise than a Date. */
  readonly askedAt: string
}

const keysAfter = prepared<AskedKey & { chosen: number[] }>(
  'parked_keys_after',
  `select lane, key, json_agg(id order by id) as ids, coalesce(json_agg(id) filter (where ${selected}), '[]') as chosen, now()::text as "askedAt"
   from parked
   where lane = $7 and key in (
     select key from parked where lane = $7 and ($8::text is null or key > $8) and ${selected} group by key order by key limit $9)
   group by lane, key order by key`,
)

/** The next keys of a lane with selected events; `chosen` are the ids of those events. */
export const nextKeys = (
  tx: Tx,
  selection: Selection,
  lane: number,
  { after, limit }: { after: string | null; limit: number },
): Promise<(AskedKey & { chosen: number[] })[]> => keysAfter(tx, ...valuesOf(selection), lane, after, limit)

const next = prepared<{ id: number; key: string }>(
  'parked_next_selected',
  `select id, key from parked where lane = $7 and ${selected} order by id limit $8`,
)

/** The oldest selected events of a lane. */
export const nextSelected = (
  tx: Tx,
  selection: Selection,
  lane: number,
  limit: number,
): Promise<{ id: number; key: string }[]> => next(tx, ...valuesOf(selection), lane, limit)
