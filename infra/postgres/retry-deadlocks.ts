import { setTimeout as delay } from 'node:timers/promises'
import { hasSqlState } from './sqlstates.ts'

const attempts = 10
const longestMs = 200

/**
 * Runs a whole transaction, and runs it again if PostgreSQL chose it as the victim of a deadlock: it has left nothing behind,
 * and the other transaction is through. For transactions that cannot lock all their rows in one ordered statement.
 * @param work begins and commits the transaction; must leave nothing changed in memory when it fails
 * @throws what the work throws; a deadlock after ten attempts
 */
export async function retryDeadlocks<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!hasSqlState(error, 'deadlockDetected') || attempt === attempts) throw error
      await delay(Math.random() * Math.min(longestMs, 10 * 2 ** attempt))
    }
  }
}
