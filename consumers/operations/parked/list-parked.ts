import type { Pool } from '../../../infra/postgres/pool.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import { parkedColumns } from '../../runtime/tables/parked-row.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { selected, selectionValues } from './selection.ts'
import type { Selection } from './selection.ts'
import type { ParkedInput } from '../../runtime/model.ts'

/** Parked events that have one reason. */
export interface ParkedCount {
  readonly reason: ParkedInput['reason']
  readonly events: number
  /** Of them, first of their key: all others only wait behind one. */
  readonly heads: number
  /** Heads the owner does not try again by itself. */
  readonly waitForPerson: number
  readonly oldest: Date
  /** When the owner tries the next of them. */
  readonly nextAttemptAt: Date | null
  readonly lastId: number
}

/** A parked event at a glance. */
export interface ParkedEntry {
  readonly id: number
  readonly lane: number
  readonly key: string
  readonly source: string
  readonly type: string | null
  readonly place: string | null
  readonly reason: ParkedInput['reason']
  readonly error: string | null
  readonly attempts: number
  readonly parkedAt: Date
  readonly nextAttemptAt: Date | null
  /** First of its key; the id itself if it is the first. */
  readonly head: number
  /** Events behind it, in its key. */
  readonly behind: number
}

const withHeads = `(select *, min(id) over key_queue as head,
    count(*) over (key_queue rows between 1 following and unbounded following) as behind
  from parked window key_queue as (partition by lane, key order by id)) lot`

const counts = prepared<ParkedCount>(
  'parked_counts',
  `select reason, count(*) as events, count(*) filter (where id = head) as heads,
     count(*) filter (where id = head and next_attempt_at is null) as "waitForPerson", min(parked_at) as oldest,
     min(next_attempt_at) as "nextAttemptAt", max(id) as "lastId"
   from ${withHeads} where ${selected} group by reason order by count(*) desc, reason`,
)

/** How many are parked, by reason, the most frequent first. */
export const countParked = (pool: Pool, selection: Selection): Promise<ParkedCount[]> =>
  counts(pool, ...selectionValues(selection))

const entries = (newestFirst: boolean) =>
  prepared<ParkedEntry>(
    newestFirst ? 'parked_newest' : 'parked_oldest',
    `select id, lane, key, source, type, topic || '/' || partition || ' offset ' || "offset" as place, reason, error, attempts,
       parked_at as "parkedAt", next_attempt_at as "nextAttemptAt", head, behind
     from ${withHeads} where ${selected} order by id ${newestFirst ? 'desc' : ''} limit $5`,
  )
const oldest = entries(false)
const newest = entries(true)

/** The oldest (or newest) parked events. */
export const listParked = (
  pool: Pool,
  selection: Selection,
  { limit, newestFirst = false }: { limit: number; newestFirst?: boolean },
): Promise<ParkedEntry[]> => (newestFirst ? newest : oldest)(pool, ...selectionValues(selection), limit)

const one = prepared<ParkedRow>('parked_read', `select ${parkedColumns} from parked where id = $1`)

/** A parked event with everything that is kept of it; undefined if it is not parked (any more). */
export const readParked = async (pool: Pool, id: number): Promise<ParkedRow | undefined> => (await one(pool, id))[0]

const queue = prepared<ParkedRow>(
  'parked_queue',
  `select ${parkedColumns} from parked where lane = $1 and key = $2 order by id limit $3`,
)

/** Everything parked under a key, in the order in which it will be handled. */
export const readQueue = (pool: Pool, lane: number, key: string, limit: number): Promise<ParkedRow[]> =>
  queue(pool, lane, key, limit)

const keys = prepared<{ lane: number; key: string }>(
  'parked_selected_keys',
  `select lane, key from parked where ${selected} group by lane, key order by lane, min(id) limit $5`,
)

/** Keys of the selected events, the longest parked of each lane first. */
export const selectedKeys = (
  pool: Pool,
  selection: Selection,
  limit: number,
): Promise<{ lane: number; key: string }[]> => keys(pool, ...selectionValues(selection), limit)
