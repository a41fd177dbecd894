import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { ReplayRun } from '../mode.ts'
import { Fold } from './fold.ts'
import type { FoldContext } from './fold-lane.ts'
import type { FoldPosition } from './fold-tables.ts'
import { reached } from './reached.ts'
import { totalParked } from '../../../runtime/tables/parked-figures.ts'
import { swap } from './swap.ts'
import type { Schemas } from './tables-aside.ts'

/** At this distance from the group the rest is folded while its lanes are paused, offsets. */
const near = 500
const pollMs = 500

/**
 * Folds the planned ranges, follows the group until close to it, and swaps the tables.
 * @param keep whether the group's former tables are kept
 * @throws TallyError as `Fold.upTo`; the run's reason to stop
 */
export async function catchUp(
  context: FoldContext,
  run: ReplayRun,
  { schemas, aside, keep }: { schemas: Schemas; aside: Pool; keep: boolean },
): Promise<void> {
  const { group } = context.definition
  let fold = await Fold.open(context, run, aside)
  for (;;) {
    run.signal.throwIfAborted()
    const all = await reached(context.pool, fold.positions)
    const planned = withinPlan(run, all)
    // The planned ranges come first, so that their progress is exact; later events follow
    const targets = fold.left(planned) > 0 ? planned : all
    const left = fold.left(targets)
    if (targets === planned || left > near) {
      run.note(`folding ${left.toLocaleString('en')} events up to where ${group} stands`)
      await fold.upTo(targets)
      continue
    }
    await fold.prepare()
    const end = await swap(context, { run, schemas, aside, fold, keep })
    if (end === 'swapped') return
    if (end === 'busy') fold = await Fold.open(context, run, aside)
    if (end === 'behind') continue
    if (left > 0) await fold.upTo(targets)
    run.note(
      end === 'busy'
        ? `waiting for a long transaction that reads the tables of ${group}`
        : `waiting for ${await totalParked(context.pool)} parked events of ${group}: redrive or drop them`,
    )
    await delay(pollMs, undefined, { signal: run.signal }).catch(() => {})
  }
}

function withinPlan({ partitions }: ReplayRun, positions: readonly FoldPosition[]): FoldPosition[] {
  const ends = new Map(partitions.map(({ topic, partition, to }) => [`${topic}/${partition}`, to]))
  return positions.map(({ topic, partition, next }) => ({
    topic,
    partition,
    next: Math.min(next, ends.get(`${topic}/${partition}`) ?? 0),
  }))
}
