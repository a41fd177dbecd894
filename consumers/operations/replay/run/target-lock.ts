import type { PoolClient } from 'pg'
import { describeError, TallyError } from '../../../../infra/errors.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { lockKey, readOpenReplay } from './replay-table.ts'
import type { ReplayRow } from './replay-table.ts'

/** The holder is the only process that works on replays of a target. A lock of a dead process is released. */
export interface TargetLock extends AsyncDisposable {
  /** The connection that holds the lock: the lock is held as long as the connection works. */
  readonly connection: Tx
  /** Aborts when the connection, and with it the lock, is lost. */
  readonly lost: AbortSignal
}

/** @returns undefined if another process holds it */
export async function tryLockTarget(pool: Pool, target: string): Promise<TargetLock | undefined> {
  const client = await pool.connect()
  const lost = new AbortController()
  const onError = (error: Error) =>
    lost.abort(new TallyError('UNREACHABLE', `the connection to the database was lost: ${describeError(error)}`))
  client.on('error', onError)
  const release = async () => {
    client.off('error', onError)
    await unlock(client, target)
  }
  try {
    const { rows } = await client.query<{ held: boolean }>(`select pg_try_advisory_lock(${lockKey('$1')}) as held`, [
      target,
    ])
    if (rows[0]?.held) return { connection: client, lost: lost.signal, [Symbol.asyncDispose]: release }
  } catch (error) {
    client.release(true)
    throw error
  }
  client.off('error', onError)
  client.release()
  return undefined
}

/** If the lock cannot be released, its connection is closed, which releases it, too. */
async function unlock(client: PoolClient, target: string): Promise<void> {
  try {
    await client.query(`select pg_advisory_unlock(${lockKey('$1')})`, [target])
    client.release()
  } catch {
    client.release(true)
  }
}

/** @throws TallyError BUSY if another process works on a replay of the target */
export async function lockTarget(pool: Pool, target: string): Promise<TargetLock> {
  const lock = await tryLockTarget(pool, target)
  if (lock) return lock
  const open = await readOpenReplay(pool, target)
  throw new TallyError(
    'BUSY',
    open
      ? inTheWay(open)
      : `a replay of ${target} is being undone, or ${target} is being removed: try again afterwards`,
  )
}

/** Why an operation that must not run beside an open replay has to wait. */
export const endItFirst = ({ id, target, state }: Pick<ReplayRow, 'id' | 'target' | 'state'>): string =>
  `Replay ${id} of ${target} is ${state}: end it first, or cancel it (\`npm run replay -- cancel ${id}\`)`

/** The state of a replay, or `died` if it is running without a runner. */
export const conditionOf = ({ state, attended }: Pick<ReplayRow, 'state' | 'attended'>): string =>
  state === 'running' && !attended ? 'died' : state

/** Why no other replay of the target can begin. */
export function inTheWay(open: ReplayRow): string {
  const { id, target, runner, reason } = open
  const condition = conditionOf(open)
  const go = `\`npm run replay -- resume ${id}\` resumes it, \`npm run replay -- cancel ${id}\` ends it`
  if (condition === 'running')
    return `replay ${id} of ${target} is running (${runner}): wait for its end, or \`npm run replay -- cancel ${id}\` ends it`
  const why = condition === 'died' ? ` (${runner})` : reason ? ` (${reason})` : ''
  return `replay ${id} of ${target} has ${condition === 'died' ? 'died' : `been ${condition}`}${why}: ${go}`
}
