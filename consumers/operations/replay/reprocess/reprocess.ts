import { describeError, TallyError } from '../../../../infra/errors.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import { awaitSent, wakeOwner } from './wake-owner.ts'
import { forgetHandled } from './handled-events.ts'
import type { ReplayContext, ReplayMode, ReplayRun } from '../mode.ts'
import { choosing, openSource } from '../reading/range-source.ts'
import { readStretches } from '../reading/read-stretches.ts'
import type { RangeSource } from '../reading/read-stretches.ts'
import { LaneReprocessing } from './reprocess-lane.ts'
import { reprocessPreconditions } from './preconditions.ts'

/** Events of one transaction at most: the live flow of the lane waits for so long. */
const atOnce = 100
/** Handing over costs the lane about two heartbeats, so it is not done for each transaction. */
const wakeOwnerEveryMs = 10_000

/**
 * Runs the handlers again on chosen events below the group's positions, beside its replicas: in transactions under the lanes'
 * locks that hold the effects and the progress of the replay. What it leads to, the lanes' owners publish and call.
 */
export const reprocess: ReplayMode = {
  describe({ group, partitions }) {
    const handled = partitions.reduce((sum, each) => sum + each.handled, 0)
    return (
      `Runs the handlers of ${group} again on ${handled} events it has taken, beside its replicas. What they emit keeps its ids, ` +
      'so whoever took it drops it; calls are made again with their keys.'
    )
  },

  preconditions: reprocessPreconditions,

  async run(context, run) {
    const { definition, pool } = context
    if (!definition) throw new TallyError('USAGE', 'reprocess needs a group')
    await using source = await openSource(context, run.partitions, run.signal)
    const behind = await keysPassedOver(pool, run.id)
    for (const [lane, ranges] of Map.groupBy(run.partitions, ({ partition }) => partition)) {
      const reprocessing = new LaneReprocessing({ ...context, definition }, run, lane, ranges, behind)
      await takeLane(reprocessing, { context, run, source, lane })
    }
    await awaitSent(context, run)
    await forgetHandled(pool, run.id)
  },

  async abandon({ pool }, run) {
    for (const lane of new Set(run.partitions.map(({ partition }) => partition))) await wakeOwner(pool, lane, run.id)
    await forgetHandled(pool, run.id)
  },
}

interface LaneOf {
  readonly context: ReplayContext
  readonly run: ReplayRun
  readonly source: RangeSource
  readonly lane: number
}

async function takeLane(reprocessing: LaneReprocessing, { context, run, source, lane }: LaneOf): Promise<void> {
  const { codec, pool, log } = context
  const ranges = run.partitions.filter(({ partition }) => partition === lane)
  const stretches = readStretches(source, ranges, {
    atOnce: () => run.atOnce(atOnce),
    ...choosing(run.plan.selector, codec),
  })
  try {
    let toSend = false
    for (let wokenAt = performance.now(); ; ) {
      run.signal.throwIfAborted()
      const { value: stretch } = await stretches.next()
      if (!stretch) return
      if (stretch.advances.length === 0) continue
      await run.pace(stretch.chosen.length)
      toSend = (await reprocessing.take(stretch)) || toSend
      if (!toSend || performance.now() - wokenAt < wakeOwnerEveryMs) continue
      await wakeOwner(pool, lane, run.id)
      wokenAt = performance.now()
      toSend = false
    }
  } finally {
    // Also for what a run that was killed has left; should this fail, the lane's next claim sends it
    await wakeOwner(pool, lane, run.id).catch((error: unknown) =>
      log.warn({ lane, error: describeError(error) }, 'lane not handed over'),
    )
  }
}

const passedOver = prepared<{ key: string }>(
  'replay_keys_passed_over',
  'select distinct key from replay_failure where replay = $1 and key is not null',
)

/** What follows of them waits behind what failed, also after a resume. */
const keysPassedOver = async (pool: Pool, replay: number): Promise<Set<string>> =>
  new Set((await passedOver(pool, replay)).map(({ key }) => key))
