import { describeError, TallyError } from '../../../../infra/errors.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import { laneObstacles, ownedLanes } from '../../parked/lane-obstacles.ts'
import { waitUntilQuiet } from '../../wait-until-quiet.ts'
import type { ReplayContext, ReplayMode, ReplayPartition, ReplayRun } from '../mode.ts'
import { RedeliveryAccount } from './redelivery-account.ts'
import { redeliveryPreconditions } from './preconditions.ts'
import { moveBack, putBack } from './redelivered-spans.ts'

const everyMs = 300
/**
 * Without progress, the lanes' obstacles are read after `quietMs`. After `patienceMs`, lasting obstacles end the
 * replay.
 */
const quietMs = 3_000
const patienceMs = 30_000

/**
 * Moves the group back and waits until its replicas have received everything again. Their inbox drops what they
 * processed before, so what takes effect was missing. Each lane then resumes at its former position, even if this
 * process has died.
 */
export const redeliver: ReplayMode = {
  describe({ group, partitions }) {
    const unknown = partitions.reduce((sum, { handled, known }) => sum + handled - known, 0)
    const result = unknown === 0 ? 'nothing will change' : `${unknown} of them will take effect for the first time`
    return `Moves ${group} back: its replicas receive these events again, then resume at their present positions. According to its inbox, ${result}.`
  },

  preconditions: redeliveryPreconditions,

  async run(context, run) {
    const account = new RedeliveryAccount(run)
    try {
      // Lanes resume by themselves after their runner was killed
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
      // If this fails, too, the lanes receive the rest again and then resume: nothing is lost
      await putAllBack(context, run).catch((failure: unknown) =>
        context.log.error({ replay: run.id, error: describeError(failure) }, 'positions not put back'),
      )
      throw error
    }
  },

  abandon: putAllBack,

  async undo(context, run) {
    if ((await putAllBack(context, run)) === 0)
      run.note('nothing had to be restored: every lane had resumed at its former position already')
  },
}

/**
 * Makes lanes that have not finished resume at their former positions: they processed everything in between before.
 * @returns the number of partitions that had not finished
 */
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

/**
 * Reports the lanes' obstacles.
 * @throws TallyError LANE_STOPPED if a lane is stopped, or when `impatient` and no obstacle can pass by itself
 */
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
