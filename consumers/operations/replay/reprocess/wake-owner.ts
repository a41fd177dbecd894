import type { Pool } from '../../../../infra/postgres/pool.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import { raiseEpoch } from '../../../../producers/outbox/lane-table.ts'
import { ownedLanes } from '../../parked/lane-obstacles.ts'
import { waitUntilQuiet } from '../../wait-until-quiet.ts'
import type { ReplayContext, ReplayRun } from '../mode.ts'

const anything = prepared(
  'replay_anything_waits',
  'select 1 where exists (select from outbox where lane = $1) or exists (select from call where lane = $1)',
)

/**
 * Makes a lane's owner send the events and calls that were written beside it: the owner claims the lane again, as after any
 * failure, and reads the tables. If the lane has no owner, the next one does the same.
 */
export async function wakeOwner(pool: Pool, lane: number, replay: number): Promise<void> {
  if ((await anything(pool, lane)).length > 0) await raiseEpoch(pool, lane, `replay ${replay}`)
}

const callsAtMost = 10_000
const waiting = prepared<{ lane: number; seq: number | null; calls: string[] }>(
  'replay_waiting',
  `select lane, (select max(seq) from outbox where outbox.lane = asked.lane) as seq,
     array(select id from call where call.lane = asked.lane limit $2) as calls from unnest($1::int[]) as asked (lane)`,
)
const left = prepared<{ events: number; calls: number }>(
  'replay_left',
  `select (select count(*) from outbox join unnest($1::int[], $2::bigint[]) as asked (lane, last) using (lane) where seq <= last) as events,
     (select count(*) from call where id = any($3::uuid[])) as calls`,
)

const everyMs = 250
/** After this time without progress it is checked whether any replica runs. */
const quietMs = 1_000
/** After this time without progress the wait ends: the rows are safe, and the lanes' owners send them. */
const patienceMs = 30_000

type Left = { readonly events: number; readonly calls: number }

/** Waits until the rows the lanes' tables hold now are sent and answered. If that does not happen, a note says why. */
export async function awaitSent({ pool, kafka, config, definition }: ReplayContext, run: ReplayRun): Promise<void> {
  const lanes = [...new Set(run.partitions.map(({ partition }) => partition))]
  const held = await waiting(pool, lanes, callsAtMost)
  const calls = held.flatMap((lane) => lane.calls)
  const look = async (): Promise<Left> => {
    const seqs = held.map(({ seq }) => seq ?? 0)
    const ofLanes = held.map(({ lane }) => lane)
    return (await left(pool, ofLanes, seqs, calls))[0] ?? { events: 0, calls: 0 }
  }
  const group = definition?.group
  let noReplica = false
  const { state, done } = await waitUntilQuiet({
    look,
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

const totalOf = ({ events, calls }: Left): number => events + calls

const inWords = ({ events, calls }: Left): string => `${events} events and ${calls} calls`
