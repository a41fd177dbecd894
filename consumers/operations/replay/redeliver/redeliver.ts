import { describeError, TallyError } from '../../../../infra/errors.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import { laneObstacles, ownedLanes } from '../../parked/lane-obstacles.ts'
import { waitUntilQuiet } from '../../wait-until-quiet.ts'
import type { ReplayContext, ReplayMode, ReplayPartition, ReplayRun } from '../mode.ts'
import { RedeliveryAccount } from './redelivery-account.ts'
import { redeliveryPreconditions } from './preconditions.ts'
import { moveBack, putBack } from './redelivered-spans.ts'

const everyMs = 300
/** After so long without a step it is asked what holds the lanes up; after so long it is given up. */
const quietMs = 3_000
const patienceMs = 30_000

/**
 * Moves the group back and waits until its replicas have taken everything again. What they took before, their inbox drops, so
 * what still takes effect was missing. Each lane then goes on by itself where it had been, even if this process is gone.
 */
export const redeliver: ReplayMode = {
  describe({ group, partitions }) {
    const unknown = partitions.reduce((sum, { handled, known }) => sum + handled - known, 0)
    const result = unknown === 0 ? 'nothing will change' : `${unknown} of them will take effect for the first time`
    return `Moves ${group} back: its replicas take these events again, then go on where they are now. By its inbox, ${result}.`
  },

  preconditions: redeliveryPreconditions,

  async run(context, run) {
    const account = new RedeliveryAccount(run)
    try {
      // A runner that was killed left lanes that went on by themselves
      const left = await inTransaction(context.pool, (tx) => account.settle(tx))
      for (const [lane, ranges] of Map.groupBy(left, ({ partition }) => partition)) {
        run.signal.throwIfAborted()
        await inTransaction(context.pool, async (tx) => {
          await moveBack(tx, run.id, lane, ranges)
          await run.advance(tx, [])
        })
      }
      await seeThrough(context, run, account)
    } catch (error) {
      // Should this fail, too, the lanes take the rest again and then go on: nothing is lost by that
      await putAllBack(context, run).catch((failure: unknown) =>
        context.log.error({ replay: run.id, error: describeError(failure) }, 'positions not put back'),
      )
      throw error
    }
  },

  abandon: putAllBack,

  async undo(context, run) {
    if ((await putAllBack(context, run)) === 0)
      run.note('nothing was to be put back: every lane had gone on by itself where it had been')
  },
}

/** Lanes that are not through go on where they were before the replay: all that lies between, they have taken once. */
/** @returns how many partitions were still being taken again */
async function putAllBack({ pool }: ReplayContext, run: ReplayRun): Promise<number> {
  const account = new RedeliveryAccount(run)
  let back = 0
  for (const [lane, ranges] of Map.groupBy(run.partitions, ({ partition }) => partition)) {
    const topics = ranges.map(({ topic }) => topic)
    await inTransaction(pool, async (tx) => {
      back += await putBack(tx, run.id, lane, topics)
      await run.advance(tx, [])
    })
  }
  await inTransaction(pool, (tx) => account.settle(tx))
  return back
}

async function seeThrough(context: ReplayContext, run: ReplayRun, account: RedeliveryAccount): Promise<void> {
  await waitUntilQuiet({
    look: () => inTransaction(context.pool, (tx) => account.settle(tx)),
    isDone: (left) => left.length === 0,
    remaining: () => -account.offsets,
    onQuiet: (left, quietForMs) => askWhy(context, run, left, quietForMs > patienceMs),
    quietMs,
    everyMs,
    signal: run.signal,
  })
}

/** Tells what holds the lanes up. @throws TallyError LANE_STOPPED if that will not pass, or has not when `impatient` */
async function askWhy(
  { config, kafka, pool, definition }: ReplayContext,
  run: ReplayRun,
  left: readonly ReplayPartition[],
  impatient: boolean,
): Promise<undefined> {
  const lanes = [...new Set(left.map(({ partition }) => partition))]
  const obstacles = await laneObstacles(pool, lanes, await ownedLanes(kafka, `${config.namespace}${definition?.group}`))
  const [first] = obstacles
  if (!first) return undefined
  const told = `lane ${first.lane}: ${first.why}${obstacles.length > 1 ? `, ${obstacles.length - 1} more` : ''}`
  const lasting = impatient && obstacles.every(({ heals }) => !heals)
  if (lasting || obstacles.some(({ stopped }) => stopped)) throw new TallyError('LANE_STOPPED', told)
  run.note(told)
  return undefined
}
