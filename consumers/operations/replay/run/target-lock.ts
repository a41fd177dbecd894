import type { PoolClient } from 'pg'
import { describeError, TallyError } from '../../../../infra/errors.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { lockKey, readOpenReplay } from './replay-table.ts'
import type { ReplayRow } from './replay-table.ts'

/** Who holds it is the only one that works on replays of a target; it is let go of when the process dies. */
export interface TargetLock extends AsyncDisposable {
  /** The connection that holds it: as long as that answers, it is held. */
  readonly connection: Tx
  /** Aborts when the connection, and with it the lock, is lost. */
  readonly lost: AbortSignal
}

/** @returns undefined if somebody else holds it */
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

/** A connection that cannot give it back is closed, which does the same. */
async function unlock(client: PoolClient, target: string): Promise<void> {
  try {
    await client.query(`select pg_advisory_unlock(${lockKey('$1')})`, [target])
    client.release()
  } catch {
    client.release(true)
  }
}

/** @throws TallyError BUSY if somebody else works on a replay of the target */
export async function lockTarget(pool: Pool, target: string): Promise<TargetLock> {
  const lock = await tryLockTarget(pool, target)
  if (lock) return lock
  const open = await readOpenReplay(pool, target)
  throw new TallyError(
    'BUSY',
    open ? inTheWay(open) : `a replay of ${target} is being put back, or ${target} removed: try again afterwards`,
  )
}

/** Why something must wait that no replay may meet, not even one that is to be resumed. */
export const endItFirst = ({ id, target, state }: Pick<ReplayRow, 'id' | 'target' | 'state'>): string =>
  `Replay ${id} of ${target} is ${state}: end it first, or cancel it (\`npm run replay -- cancel ${id}\`)`

/** How a replay is, in a word: `died` if it says it is running and nobody runs it. */
export const conditionOf = ({ state, attended }: Pick<ReplayRow, 'state' | 'attended'>): string =>
  state === 'running' && !attended ? 'died' : state

/** Why nothing else can be replayed into this target. */
export function inTheWay(open: ReplayRow): string {
  const { id, target, runner, reason } = open
  const condition = conditionOf(open)
  const go = `\`npm run replay -- resume ${id}\` goes on with it, \`npm run replay -- cancel ${id}\` ends it`
  if (condition === 'running') return `replay ${id} of ${target} is running (${runner}); two would meet`
  const why = condition === 'died' ? ` (${runner})` : reason ? ` (${reason})` : ''
  return `replay ${id} of ${target} has ${condition === 'died' ? 'died' : `been ${condition}`}${why}: ${go}`
}
