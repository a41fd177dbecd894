import { describeError } from '../../infra/errors.ts'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import { moveBack, putBack } from '../../consumers/operations/replay/redeliver/redelivered-spans.ts'
import { simulatedPool } from './database/pool.ts'
import { Party } from './time/virtual-clock.ts'
import type { World } from './world.ts'

/**
 * Moves a lane back to processed offsets with the code of the replay command, and sometimes undoes it. Its connection has the
 * same faults as others: it may break before or after the commit.
 */
export function moveLaneBack(world: World): void {
  const { clock, random, database, faults, broker, partitions } = world
  const party = new Party('replayer')
  const { pool } = simulatedPool({ clock, database, random, faults: faults.database, party })
  const lane = random.integer(0, partitions - 1)
  const replay = random.integer(1, 1_000_000)
  const ranges = broker.topics.flatMap((topic) => {
    const spans = [...database.tables.ledger.committed.values()]
    const reached = Math.max(0, ...spans.filter((row) => row.topic === topic && row.partition === lane).map(next))
    if (reached === 0 || random.chance(0.3)) return []
    // Offsets that were skipped would take effect now
    const skipped = [...database.tables.skipped.committed.values()].filter((row) => row.topic === topic)
    const lowest = Math.max(0, ...skipped.filter((row) => row.partition === lane).map(({ to }) => to))
    if (lowest >= reached) return []
    const from = random.chance(0.5) ? lowest : random.integer(lowest, reached - 1)
    const to = random.chance(0.5) ? reached : random.integer(from + 1, reached)
    return [{ topic, partition: lane, from, to, next: from, scanned: 0, selected: 0, before: null }]
  })
  const attempt = (what: string, work: () => Promise<unknown>) =>
    void work().then(
      () => clock.trace?.(`lane ${lane} ${what}`),
      (error: unknown) => clock.trace?.(`lane ${lane} not ${what}: ${describeError(error)}`),
    )
  clock.after(
    0,
    () => attempt('moved back', () => inTransaction(pool, (tx) => moveBack(tx, replay, lane, ranges))),
    party,
  )
  if (random.chance(0.3)) {
    const back = () => attempt('put back', () => inTransaction(pool, (tx) => putBack(tx, replay, lane, broker.topics)))
    clock.after(random.between(0, 2_000), back, party)
  }
}

const next = ({ next_offset }: { next_offset: number }): number => next_offset
