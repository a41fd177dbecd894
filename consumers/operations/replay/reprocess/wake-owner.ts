import type { Pool } from '../../../../infra/postgres/pool.ts'
import { raiseEpoch } from '../../../../producers/outbox/lane-table.ts'
import { countUnsent, hasUnsent, readUnsent } from '../../../runtime/tables/call-table.ts'
import type { Unsent } from '../../../runtime/tables/call-table.ts'
import { ownedLanes } from '../../parked/lane-obstacles.ts'
import { waitUntilQuiet } from '../../wait-until-quiet.ts'
import type { ReplayContext, ReplayRun } from '../mode.ts'

/**
 * Makes a lane's owner send the events and calls that were written beside it: the owner claims the lane again, as after any
 * failure, and reads the tables. If the lane has no owner, the next one does the same.
 */
export async function wakeOwner(pool: Pool, lane: number, replay: number): Promise<void> {
  if (await hasUnsent(pool, lane)) await raiseEpoch(pool, lane, `replay ${replay}`)
}

const callsAtMost = 10_000
const everyMs = 250
/** After this time without progress it is checked whether any replica runs. */
const quietMs = 1_000
/** After this time without progress the wait ends: the rows are safe, and the lanes' owners send them. */
const patienceMs = 30_000

/** Waits until the rows the lanes' tables hold now are sent and answered. If that does not happen, a note says why. */
export async function awaitSent({ pool, kafka, config, definition }: ReplayContext, run: ReplayRun): Promise<void> {
  const lanes = [...new Set(run.partitions.map(({ partition }) => partition))]
  const held = await readUnsent(pool, lanes, callsAtMost)
  const group = definition?.group
  let noReplica = false
  const { state, done } = await waitUntilQuiet({
    look: () => countUnsent(pool, held),
    isDone: (now) => totalOf(now) === 0,
    remaining: totalOf,
    onProgress: (now) => totalOf(now) > 0 && run.note(`waiting until ${inWords(now)} are sent`),
    onQuiet: async () => (noReplica = (await ownedLanes(kafka, `${config.namespace}${group}`))?.size === 0),
    quietMs,
    patienceMs,
    everyMs,
    signal: run.signal,
  })
  if (done) return
  run.note(
    noReplica
      ? `no replica of ${group} runs: ${inWords(state)} are sent when one starts`
      : `${inWords(state)} are not sent yet: npm run lanes shows why`,
  )
}

const totalOf = ({ events, calls }: Unsent): number => events + calls

const inWords = ({ events, calls }: Unsent): string => `${events} events and ${calls} calls`
