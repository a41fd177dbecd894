import type { ParkedRow } from './database/parked-statements.ts'
import type { Transaction } from './database/transaction.ts'
import type { World } from './world.ts'

const everyMs = 700

/**
 * Somebody at the parking lot. While there is trouble he has an event tried again now and then; afterwards he drops what is
 * hopeless and has everything else tried again. As the commands for it do, he locks the lane, and whatever he does to a key
 * grows the revision of all that is parked of it.
 */
export function attendParking(world: World, sinceMs: number): void {
  const { clock, random, self, database, codec } = world
  const { lanes, parked } = database.tables
  /** Trying again cannot help. */
  const isHopeless = ({ source, reason, value }: ParkedRow) =>
    reason === 'MISROUTED' || (source === 'record' && codec.schemaIdOf(value) === undefined)
  const visit = () => {
    clock.after(everyMs, visit, self)
    const late = clock.now >= sinceMs
    const transaction = database.begin()
    try {
      for (const head of headsOf(transaction.rows(parked))) {
        const drop = late && isHopeless(head)
        if (!drop && !(late ? head.nextAttemptAt === null : random.chance(0.2))) continue
        transaction.lock(lanes, String(head.lane))
        if (drop) transaction.delete(parked, String(head.id))
        moveUp(transaction, head)
        clock.trace?.(`${drop ? 'drops' : 'asks again for'} parked event ${head.id}`)
      }
      transaction.apply()
    } catch {
      // Somebody holds one of the rows: next time
    }
    database.release(transaction)
  }
  const headsOf = (rows: ParkedRow[]) =>
    rows.sort((a, b) => a.id - b.id).filter((row, index) => rows.findIndex((other) => isOf(other, row)) === index)
  const isOf = (row: ParkedRow, { lane, key }: ParkedRow) => row.lane === lane && row.key === key

  function moveUp(transaction: Transaction, of: ParkedRow): void {
    const queue = transaction.rows(parked).filter((row) => isOf(row, of))
    const first = Math.min(...queue.map(({ id }) => id))
    for (const row of queue) {
      const nextAttemptAt = row.id === first ? clock.now : null
      transaction.put(parked, String(row.id), { ...row, revision: row.revision + 1, nextAttemptAt })
    }
  }
  clock.after(everyMs, visit, self)
}
