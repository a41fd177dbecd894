import type { ParkedRow } from './database/parked-statements.ts'
import type { Transaction } from './database/transaction.ts'
import type { World } from './world.ts'

const everyMs = 700

/**
 * Simulates an operator of parked events: redrives some of them while there are faults; from `sinceMs` on drops the hopeless
 * ones and redrives all others. Like the commands, it locks the lane and raises the revision of all parked events of the key.
 */
export function actAsOperator(world: World, sinceMs: number): void {
  const { clock, random, self, database, notices, codec } = world
  const { lanes, parked } = database.tables
  /** Events that no retry can help. */
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
        clock.trace?.(`${drop ? 'drops' : 'redrives'} parked event ${head.id}`)
      }
      notices.committing(transaction)
      transaction.apply()
    } catch {
      // One of the rows is locked: try again at the next visit
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
