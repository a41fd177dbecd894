import { setTimeout as delay } from 'node:timers/promises'
import { describeError, TallyError } from '../../../../infra/errors.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { abandonReplay, keepEnd, openRun } from './execute-run.ts'
import type { Following, OwnRun } from './execute-run.ts'
import type { ReplayContext, ReplayFailure, ReplayPartition } from '../mode.ts'
import { modes } from './modes.ts'
import {
  askRunner,
  beginRun,
  endRun,
  readFailures,
  readOpenReplay,
  readRanges,
  readReplay,
  readReplays,
} from './replay-table.ts'
import type { ReplayRow, Wanted } from './replay-table.ts'
import { found, thisRunner } from './run-replay.ts'
import { conditionOf, inTheWay, lockTarget, tryLockTarget } from './target-lock.ts'
import type { TargetLock } from './target-lock.ts'

const pollMs = 200

type Here = Pick<ReplayContext, 'pool'>

const shares = prepared<{ replay: number; share: number }>(
  'replay_shares',
  `select replay, sum(next_offset - from_offset)::float8 / sum(to_offset - from_offset) as share
   from replay_partition where replay = any($1::bigint[]) group by replay
   having sum(to_offset - from_offset) > 0`,
)

/** Processed shares of the offsets of these replays, 0 to 1; none for a replay without offsets. */
const readShares = async (tx: Tx, replays: readonly number[]): Promise<Map<number, number>> =>
  new Map((await shares(tx, replays)).map(({ replay, share }) => [replay, share]))

export interface ListedReplay extends ReplayRow {
  /** Processed share of its offsets, 0 to 1. */
  readonly share: number
}

/** The newest replays first. */
export async function listReplays(pool: Pool, limit = 50): Promise<ListedReplay[]> {
  const rows = await readReplays(pool, limit)
  const shares = await readShares(
    pool,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => ({ ...row, share: shares.get(row.id) ?? 1 }))
}

export interface ShownReplay extends ReplayRow {
  readonly partitions: readonly ReplayPartition[]
  readonly failures: readonly ReplayFailure[]
}

/** @param failuresAtMost of the skipped events @throws TallyError USAGE if there is no such replay */
export async function showReplay(context: Here, id: number, failuresAtMost = 100): Promise<ShownReplay> {
  const row = await found(context, id)
  const { pool } = context
  return { ...row, partitions: await readRanges(pool, id), failures: await readFailures(pool, id, failuresAtMost) }
}

/**
 * Asks the runner to pause, and waits until it has. A replay whose runner died becomes paused.
 * @throws TallyError PRECONDITION_FAILED if it has ended; the signal's reason: the request stays
 */
export async function pauseReplay(context: Here, id: number, signal?: AbortSignal): Promise<ReplayRow> {
  const lock = await askOrTake(context, id, 'pause', signal)
  if (!lock) return ended(await found(context, id), 'pause')
  await using _ = lock
  const row = await found(context, id)
  if (row.state !== 'running') return ended(row, 'pause')
  const run = await beginRun(context.pool, id, thisRunner())
  await endRun(context.pool, { id, run: run ?? row.run }, 'paused', 'its runner had died')
  return await found(context, id)
}

/**
 * Ends a replay for good: its effects stay, unfinished work is cleaned up.
 * @throws TallyError PRECONDITION_FAILED if it has ended; errors of the clean-up: it can be cancelled again
 */
export async function cancelReplay(context: ReplayContext, id: number, signal?: AbortSignal): Promise<ReplayRow> {
  const lock = await askOrTake(context, id, 'cancel', signal)
  if (!lock) return ended(await found(context, id), 'cancel')
  await using _ = lock
  const row = await found(context, id)
  if (row.endedAt) return ended(row, 'cancel')
  const own = await take(context, row)
  try {
    await abandonReplay(context, own)
  } catch (error) {
    await endRun(context.pool, own, 'stopped', `it could not be cancelled: ${describeError(error)}`)
    throw error
  }
  await keepEnd(context, own, { state: 'cancelled', because: 'asked', reason: 'requested by an operator' })
  return await found(context, id)
}

/**
 * Restores the state before a replay that has ended.
 * @throws TallyError PRECONDITION_FAILED if that cannot be; the signal's reason: it can be undone again
 */
export async function undoReplay(
  context: ReplayContext,
  id: number,
  { signal, onNote }: Pick<Following, 'signal' | 'onNote'> = {},
): Promise<ReplayRow> {
  const { target } = await found(context, id)
  await using lock = await lockTarget(context.pool, target)
  const row = await found(context, id)
  const { undo } = modes[row.mode]
  if (row.state === 'undone') throw new TallyError('PRECONDITION_FAILED', `replay ${id} has been undone already`)
  if (!row.endedAt)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `replay ${id} has not ended: \`npm run replay -- cancel ${id}\` ends it, then undo it`,
    )
  if (typeof undo === 'string')
    throw new TallyError(
      'PRECONDITION_FAILED',
      `${row.mode} cannot be undone, because ${undo}; replay ${id} stays ${row.state}`,
    )
  const open = await readOpenReplay(context.pool, target)
  if (open) throw new TallyError('PRECONDITION_FAILED', inTheWay({ ...open, attended: false }))
  const own = await take(context, row)
  const run = await openRun(context, own, {
    signal: AbortSignal.any(signal ? [signal, lock.lost] : [lock.lost]),
    ...(onNote && { note: onNote }),
  })
  await undo(context, run)
  await keepEnd(context, own, { state: 'undone', because: 'asked', reason: null })
  return await found(context, id)
}

/** Makes this process the runner; the replay keeps its state. */
async function take({ pool }: Here, row: ReplayRow): Promise<OwnRun> {
  const run = await beginRun(pool, row.id, thisRunner())
  if (run === undefined) throw new TallyError('INVARIANT', `replay ${row.id} is gone`)
  return { ...row, run }
}

/** Waits until the runner has paused or cancelled. @returns the lock if there is no runner */
async function askOrTake(
  context: Here,
  id: number,
  wanted: Exclude<Wanted, 'run'>,
  signal?: AbortSignal,
): Promise<TargetLock | undefined> {
  const { pool } = context
  const { target } = await found(context, id)
  for (;;) {
    const row = await readReplay(pool, id)
    if (!row || row.endedAt || (wanted === 'pause' && row.state !== 'running')) return undefined
    await askRunner(pool, id, wanted)
    const lock = await tryLockTarget(pool, target)
    if (lock) return lock
    await delay(pollMs, undefined, { signal }).catch(() => {})
    signal?.throwIfAborted()
  }
}

/** @throws TallyError PRECONDITION_FAILED if it ended in another way than was wanted */
function ended(row: ReplayRow, wanted: 'pause' | 'cancel'): ReplayRow {
  const is = conditionOf(row)
  if (is === 'cancelled' ? wanted === 'cancel' : !row.endedAt && wanted === 'pause') return row
  throw new TallyError('PRECONDITION_FAILED', `replay ${row.id} is ${is} already: there is nothing to ${wanted}`)
}
