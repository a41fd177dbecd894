import { expect, test } from '@jest/globals'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { ParkingRoom } from './parking-room.ts'

const limit = 1_000

/** A table in which so many events are parked, look after look; undefined: the database does not answer. */
function parked(...counts: (number | undefined)[]) {
  const looks = { made: 0 }
  const query = async () => {
    const found = counts[Math.min(looks.made++, counts.length - 1)]
    if (found === undefined) throw new Error('Connection terminated unexpectedly')
    return { rows: [{ parked: found }] }
  }
  return { looks, room: new ParkingRoom({ query } as unknown as Pool, 0, limit, 1) }
}

test('room for one event is waited for, also through an outage, and all who wait share the looks', async () => {
  const { looks, room } = parked(limit + 5, limit, undefined, limit - 1)
  await Promise.all([room.available(() => true), room.available(() => true)])
  expect(looks.made).toBe(4)
  expect(room.looking).toBeUndefined()
})

test('the looks end when nobody wants the room any more', async () => {
  const { looks, room } = parked(limit)
  await room.available(() => looks.made < 3)
  expect(looks.made).toBe(3)
})
