import { describeError } from '../../infra/errors.ts'
import { inTransaction } from '../../infra/postgres/transaction.ts'
import { skipWithin } from '../../consumers/operations/lanes/skip-offsets.ts'
import { simulatedPool } from './database/pool.ts'
import { Party } from './time/virtual-clock.ts'
import type { World } from './world.ts'

/** Skips the next few offsets of a lane with the code of the command, over a connection that may break. */
export function skipOffsets(world: World): void {
  const { clock, random, database, faults, broker, partitions } = world
  const party = new Party('skipper')
  const { pool } = simulatedPool({ clock, database, random, faults: faults.database, party })
  const partition = random.integer(0, partitions - 1)
  const topic = random.pick(broker.topics)
  const spans = [...database.tables.ledger.committed.values()]
  const reached = spans.filter((row) => row.topic === topic && row.partition === partition)
  const position = Math.max(0, ...reached.map(({ next_offset }) => next_offset))
  const asked = { topic, partition, from: 0, to: position + random.integer(1, 4) }
  const group = { name: 'simulation', topics: new Set(broker.topics) }
  const end = broker.end(topic, partition)
  const work = () =>
    inTransaction(pool, (tx) => skipWithin(tx, group, asked, end, { actor: 'operator', why: 'junk' })).then(
      ({ from, to }) => clock.trace?.(`${topic}/${partition}: offsets ${from} to ${to - 1} skipped`),
      (error: unknown) => clock.trace?.(`${topic}/${partition}: nothing skipped: ${describeError(error)}`),
    )
  clock.after(0, () => void work(), party)
}
