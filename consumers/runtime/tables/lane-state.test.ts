import { expect, jest, test } from '@jest/globals'
import { takingTurns } from '../../../infra/promises.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { ConditionNotes } from './lane-state.ts'

/** A database that refuses as many notes as asked. */
function database() {
  const taken: unknown[][] = []
  const refuse = { next: 0 }
  const query = async ({ values }: { values: unknown[] }) => {
    if (refuse.next-- > 0) throw new Error('Connection terminated unexpectedly')
    taken.push(values)
    return { rows: [] }
  }
  return { taken, refuse, pool: { query } as unknown as Pool }
}

const own = { lane: 3, epoch: 7 }

test('a note that the database did not take is written later, and only the last one', async () => {
  const { taken, refuse, pool } = database()
  const notes = new ConditionNotes(pool, takingTurns())
  let now = 0
  using _clock = jest.spyOn(performance, 'now').mockImplementation(() => now)
  refuse.next = 3
  expect(notes.note(own, 'waiting', 'Kafka answers no heartbeat')).toBe(true)
  expect(notes.note(own, 'stopped', 'its records are gone')).toBe(true)
  await settled()
  notes.repeat() // Too early
  await settled()
  expect(refuse.next).toBe(1)
  for (const again of [1, 2, 3]) {
    now = again * 1_000
    notes.repeat()
    await settled()
  }
  expect(taken).toEqual([[3, 7, 'stopped', 'its records are gone']])
})

test('what a new claim has recorded is not overwritten by a note from before it', async () => {
  const { taken, refuse, pool } = database()
  const notes = new ConditionNotes(pool, takingTurns())
  let now = 0
  using _clock = jest.spyOn(performance, 'now').mockImplementation(() => now)
  refuse.next = 1
  notes.note(own, 'stopped', 'its records are gone')
  await settled()
  notes.begun()
  now = 5_000
  notes.repeat()
  await settled()
  expect(taken).toEqual([])
})

/** Lets all promises settle that wait for nothing else. */
const settled = () => new Promise<void>((resolve) => void setImmediate(resolve))
