import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import { raiseEpoch } from '../../../../producers/outbox/lane-table.ts'
import { ownedLanes } from '../../parked/lane-obstacles.ts'
import type { ReplayContext, ReplayRun } from '../mode.ts'

const anything = prepared(
  'replay_anything_waits',
  'select 1 where exists (select from outbox where lane = $1) or exists (select from call where lane = $1)',
)

/**
 * Has a lane's owner send and call what the tables hold, which was written beside it: it claims the lane again, as after any
 * failure. Without an owner the next one does the same.
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
/** After so long without progress nobody waits any more: the rows are safe, and their lanes' owners see to them. */
const patienceMs = 30_000

/** Waits until what the lanes' tables hold now has been sent and answered, as long as that goes on; says so if it does not. */
export async function awaitSent({ pool, kafka, config, definition }: ReplayContext, run: ReplayRun): Promise<void> {
  const lanes = [...new Set(run.partitions.map(({ partition }) => partition))]
  const held = await waiting(pool, lanes, callsAtMost)
  const calls = held.flatMap((lane) => lane.calls)
  const look = async () =>
    (
      await left(
        pool,
        held.map(({ lane }) => lane),
        held.map(({ seq }) => seq ?? 0),
        calls,
      )
    )[0] ?? { events: 0, calls: 0 }
  let lastTotal = Number.POSITIVE_INFINITY
  for (let movedAt = performance.now(); ; ) {
    const now = await look()
    const total = now.events + now.calls
    if (total === 0) return
    const what = `${now.events} events and ${now.calls} calls`
    if (total < lastTotal) {
      const owned = await ownedLanes(kafka, `${config.namespace}${definition?.group}`)
      if (owned?.size === 0) return run.note(`no replica of ${definition?.group} runs: ${what} go out when one starts`)
      movedAt = performance.now()
      lastTotal = total
    } else if (performance.now() - movedAt > patienceMs) {
      return run.note(`${what} have not gone out yet: see npm run lanes for what holds their lanes up`)
    }
    run.note(`waiting for ${what} to go out`)
    await delay(everyMs, undefined, { signal: run.signal }).catch(() => {})
    run.signal.throwIfAborted()
  }
}
