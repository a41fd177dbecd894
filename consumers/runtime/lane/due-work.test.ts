import { setImmediate as soon } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { Turns } from '../turns.ts'
import { DueWork } from './due-work.ts'
import type { DueLane } from './due-work.ts'

interface Row {
  readonly lane: number
  readonly id: number
}

/** Lanes whose table has one due row each, again and again; lane 0 processes its first row until it is released. */
function lanes(count: number) {
  const released = Promise.withResolvers<void>()
  const processed: number[] = []
  const laneOf = (number: number): DueLane => ({
    accepting: true,
    limit: 500,
    turns: new Turns(),
    async process() {
      if (number === 0) await released.promise
      processed.push(number)
      return true
    },
  })
  const all = new Map(Array.from({ length: count }, (_, number) => [number, laneOf(number)]))
  const asked: (readonly number[])[] = []
  const read = async (due: readonly number[]): Promise<Row[]> => {
    asked.push(due)
    return due.map((lane) => ({ lane, id: asked.length }))
  }
  const work = new DueWork<Row>({ lanes: all, log: { warn: () => {} } as never }, read, (rows) => ({
    ...{ source: 'timer', name: String(rows[0].id), items: [] },
  }))
  return { work, processed, asked, release: released.resolve }
}

const turns = async () => {
  for (let n = 0; n < 10; n++) await soon()
}

test('a lane that is stuck delays no other lane, and is not read again meanwhile', async () => {
  const { work, processed, asked, release } = lanes(3)
  for (let look = 0; look < 4; look++) {
    work.start([0, 1, 2])
    await turns()
  }
  expect(processed).toEqual([1, 2, 1, 2, 1, 2, 1, 2])
  expect(asked).toEqual([
    [0, 1, 2],
    [1, 2],
    [1, 2],
    [1, 2],
  ])
  let idle = false
  const ended = work.idle().then(() => (idle = true))
  await turns()
  expect(idle).toBe(false)
  release()
  await ended
  expect(processed.at(-1)).toBe(0)
  work.start([0])
  await turns()
  expect(processed.at(-1)).toBe(0)
  expect(asked.at(-1)).toEqual([0])
})
