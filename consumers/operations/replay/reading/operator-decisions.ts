import type { KafkaMessage } from 'kafkajs'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { readLastDecisions } from '../../../runtime/tables/audit.ts'
import type { Range } from '../../../runtime/tables/audit.ts'

/** An operator's decision about a record that was parked, by its place (see `placeOf`): other bytes, or (undefined) dropped. */
export type Decisions = ReadonlyMap<string, { readonly value: Buffer | null } | undefined>

export const placeOf = (topic: string, partition: number, offset: number): string => `${topic}/${partition}/${offset}`

/**
 * The last decision of an operator about each record of these ranges that was once parked. The record's own bytes did not take
 * effect, so a replay must not handle them.
 */
export async function readDecisions(db: Pool | Tx, ranges: readonly Range[]): Promise<Decisions> {
  const rows = await readLastDecisions(db, ranges)
  return new Map(rows.map(({ place, action, after }) => [place, action === 'EDITED' ? { value: after } : undefined]))
}

/** The record as the operator edited it; undefined if it was dropped. */
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
