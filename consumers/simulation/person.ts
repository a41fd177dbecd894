import type { World } from './world.ts'

const everyMs = 700

/** Trying again cannot help these. */
const hopeless: ReadonlySet<string> = new Set(['UNREADABLE', 'MISROUTED'])

/**
 * Somebody at the parking lot. While there is trouble he touches an event now and then; afterwards he drops what is hopeless and
 * has everything else tried again. Each time in one transaction, as the commands for it do.
 */
export function attendParking(world: World, sinceMs: number): void {
  const { clock, random, self, database } = world
  const { parked, lanes } = database.tables
  const visit = () => {
    clock.after(everyMs, visit, self)
    const late = clock.now >= sinceMs
    const transaction = database.begin()
    try {
      for (const row of transaction.rows(parked).sort((a, b) => a.id - b.id)) {
        if (row.reason === 'BEHIND') continue
        transaction.lock(lanes, String(row.lane))
        const key = String(row.id)
        if (late && hopeless.has(row.reason)) {
          transaction.delete(parked, key)
          const next = transaction.rows(parked).filter((other) => other.lane === row.lane && other.key === row.key)
          const head = next.sort((a, b) => a.id - b.id)[0]
          if (head) transaction.put(parked, String(head.id), { ...head, nextAttemptAt: clock.now })
          clock.trace?.(`drops parked event ${row.id}`)
        } else if (late ? row.nextAttemptAt === null : random.chance(0.2)) {
          transaction.put(parked, key, { ...row, revision: row.revision + 1, nextAttemptAt: clock.now })
          clock.trace?.(`asks for parked event ${row.id} to be tried again`)
        }
      }
      database.commitByHand(transaction)
    } catch {
      // Somebody holds one of the rows: next time
    }
    database.release(transaction)
  }
  clock.after(everyMs, visit, self)
}
