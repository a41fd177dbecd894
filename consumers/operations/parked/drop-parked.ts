import type { Pool } from '../../../infra/postgres/pool.ts'
import { noteAction } from '../../runtime/tables/audit.ts'
import type { Actor } from '../../runtime/tables/audit.ts'
import { removeParked } from '../../runtime/tables/parked-changes.ts'
import { nextSelected } from '../../runtime/tables/parked-list.ts'
import type { Selection } from '../../runtime/tables/parked-list.ts'
import type { Chosen } from './choose-parked.ts'
import { workInLanes } from './lane-work.ts'
import type { Work } from './lane-work.ts'

const eventsAtOnce = 500

/**
 * Drops parked events permanently: they never take effect. Their bytes stay in the audit. The event behind a dropped
 * head is due at once.
 * @returns ids of the dropped events
 */
export function dropParked(
  pool: Pool,
  selection: Selection,
  by: Actor & { why: string },
  work: Work = {},
): Promise<number[]> {
  return workInLanes(pool, selection, work, (lane) => async (tx) => {
    const rows = await nextSelected(tx, selection, lane, eventsAtOnce)
    const ids = rows.map(({ id }) => id)
    await noteAction(tx, ids, 'DROPPED', by)
    await removeParked(tx, lane, rows)
    return ids
  })
}

export interface DropOptions {
  readonly signal: AbortSignal
  onProgress?(group: string, events: number): void
  /** Called when all chosen events of a group are dropped. */
  onGroup?(group: string, events: number): void
}

/**
 * Drops the selected events, group by group. After an interruption it can be run again for the rest.
 * @returns the groups in which events were dropped, and how many
 */
export async function dropChosen(
  chosen: readonly Chosen[],
  by: Actor & { why: string },
  { signal, onProgress, onGroup }: DropOptions,
): Promise<{ group: string; events: number }[]> {
  const dropped: { group: string; events: number }[] = []
  for (const { group, selection } of chosen) {
    const onEvents = (events: number) => onProgress?.(group.name, events)
    const { length: events } = await dropParked(group.pool, selection, by, { signal, onProgress: onEvents })
    if (events === 0) continue
    onGroup?.(group.name, events)
    dropped.push({ group: group.name, events })
  }
  return dropped
}
