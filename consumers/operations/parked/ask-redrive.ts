import type { Pool } from '../../../infra/postgres/pool.ts'
import { noteAction } from '../../runtime/tables/audit.ts'
import type { Actor } from '../../runtime/tables/audit.ts'
import { makeKeysDue } from '../../runtime/tables/parked-changes.ts'
import { nextKeys } from '../../runtime/tables/parked-list.ts'
import type { AskedKey, Selection } from '../../runtime/tables/parked-list.ts'
import { workInLanes } from './lane-work.ts'
import type { Work } from './lane-work.ts'

const keysAtOnce = 200

/**
 * Makes parked events due, so that the lanes' owners handle them at once. Each is attempted once; one that fails again waits
 * as its attempts demand.
 */
export async function askRedrive(pool: Pool, selection: Selection, by: Actor, work: Work = {}): Promise<AskedKey[]> {
  let events = 0
  const onProgress = () => work.onProgress?.(events)
  return workInLanes(pool, selection, { ...work, onProgress }, (lane) => {
    let after: string | null = null
    return async (tx) => {
      const found = await nextKeys(tx, selection, lane, { after, limit: keysAtOnce })
      const ids = found.flatMap(({ ids: [head], chosen }) => (head === undefined ? [] : [head, ...chosen]))
      await noteAction(tx, [...new Set(ids)], 'REDRIVE_ASKED', by)
      await makeKeysDue(tx, found)
      after = found.at(-1)?.key ?? after
      events += found.reduce((sum, { ids: all }) => sum + all.length, 0)
      return found.map(({ chosen: _chosen, ...asked }) => asked)
    }
  })
}
