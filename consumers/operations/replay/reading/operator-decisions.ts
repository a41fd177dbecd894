import type { KafkaMessage } from 'kafkajs'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'

/** What a person made of a record that was parked, by its place (see `placeOf`): other bytes, or (undefined) nothing at all. */
export type Decisions = ReadonlyMap<string, { readonly value: Buffer | null } | undefined>

export interface Range {
  /** Without namespace. */
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

export const placeOf = (topic: string, partition: number, offset: number): string => `${topic}/${partition}/${offset}`

const read = prepared<{ place: string; action: 'DROPPED' | 'EDITED'; after: Buffer | null }>(
  'replay_decisions',
  `select distinct on (topic, partition, "offset")
     topic || '/' || partition || '/' || "offset" as place, action, after
   from parked_audit join unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[])
     as range (topic, partition, first, until) using (topic, partition)
   where source = 'record' and action in ('DROPPED', 'EDITED') and "offset" >= first and "offset" < until
   order by topic, partition, "offset", id desc`,
)

/**
 * The last thing a person decided about each record of these ranges that was parked once: the record's own bytes are not
 * what took effect, so they are not what is to be handled again.
 */
export async function readDecisions(db: Pool | Tx, ranges: readonly Range[]): Promise<Decisions> {
  const rows = await read(
    db,
    ranges.map(({ topic }) => topic),
    ranges.map(({ partition }) => partition),
    ranges.map(({ from }) => from),
    ranges.map(({ to }) => to),
  )
  return new Map(rows.map(({ place, action, after }) => [place, action === 'EDITED' ? { value: after } : undefined]))
}

const last = prepared<{ id: number | null }>(
  'replay_last_decision',
  `select max(id) as id from parked_audit where lane = $1 and action in ('DROPPED', 'EDITED')`,
)

/**
 * Grows with each decision of the lane: under its lock it tells whether those read before are still all there are. Ids of
 * several lanes need not be committed in their order.
 */
export const lastDecision = async (db: Pool | Tx, lane: number): Promise<number> => (await last(db, lane))[0]?.id ?? 0

/** The record as a person wanted it; undefined if it was not to take effect. */
export function asDecided(
  decisions: Decisions,
  topic: string,
  partition: number,
  message: KafkaMessage,
): KafkaMessage | undefined {
  const place = placeOf(topic, partition, Number(message.offset))
  if (!decisions.has(place)) return message
  const edit = decisions.get(place)
  return edit && { ...message, value: edit.value }
}
