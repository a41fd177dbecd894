import type { Pool } from '../../../infra/postgres/pool.ts'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import type { OrderEvent } from '../orders/order-event.ts'
import type { Mode, Selector } from '../replay/plan.ts'
import { replaySchema } from '../replay/replay-schema.ts'
import type { Replayed } from './order-trace.ts'

interface Range {
  readonly id: number
  readonly mode: Exclude<Mode, 'copy'>
  readonly group: string
  readonly actor: string
  readonly at: Date
  readonly undone: boolean
  readonly selector: Selector
  readonly topic: string
  /** Offsets that it has passed: `[from, next)`. */
  readonly from: number
  readonly next: number
}

/** Replays that an order can have met; the newest are enough. */
const most = 1_000

/** Which replays have passed over the events of an order, from the rows that replays keep for good. @throws errors of pg */
export async function readReplays(
  pool: Pool,
  namespace: string,
  { lane, orderId, events }: { lane: number; orderId: string; events: readonly OrderEvent[] },
): Promise<Replayed[]> {
  const schema = quoteIdentifier(replaySchema(namespace))
  const { rows: found } = await pool.query<{ there: boolean }>(
    `select to_regclass($1 || '.replay_partition') is not null as there`,
    [schema],
  )
  if (!found[0]?.there) return []
  const { rows } = await pool.query<{ [K in keyof Range]: Range[K] }>(
    `select id, mode, target as "group", actor, created_at as at, state = 'undone' as undone, plan->'selector' as selector,
       topic, from_offset as "from", next_offset as next
     from ${schema}.replay join ${schema}.replay_partition on replay = id
     where mode <> 'copy' and partition = $1 and next_offset > from_offset order by id desc limit ${most}`,
    [lane],
  )
  return rows.toReversed().flatMap((range) => {
    const { id: replay, mode, group, actor, at, undone } = range
    return events
      .filter((event) => isIn(event, orderId, range))
      .map(({ eventId }) => ({ replay, mode, group, actor, undone, eventId, at: at.getTime() }))
  })
}

/** As `matches` of the replay decides, from what is known of an event here. */
function isIn({ place, type, headers: found }: OrderEvent, orderId: string, range: Range): boolean {
  const { topic, from, next, selector } = range
  const { keys, types, headers } = selector ?? {}
  const offset = Number(place?.offset ?? Number.NaN)
  if (place?.topic !== topic || !(offset >= from && offset < next)) return false
  if (keys && !keys.includes(orderId)) return false
  if (types && !types.some((each) => each === type)) return false
  return !headers || headers.some(({ name, value }) => name in found && (value === undefined || found[name] === value))
}
