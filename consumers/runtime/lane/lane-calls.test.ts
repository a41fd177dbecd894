import { expect, test } from '@jest/globals'
import { setImmediate as soon } from 'node:timers/promises'
import { LaneCalls } from './lane-calls.ts'
import type { PendingCall } from '../tables/call-table.ts'

const cause = { id: '', eventId: '', time: 0, chainTime: 0, correlationId: '' }
const callsOf = (from: number, count: number): PendingCall[] =>
  Array.from({ length: count }, (_, n) => {
    return { id: `call-${from + n}`, key: `o-${from + n}`, kind: 'ask', request: {}, cause, attempts: 0, waitMs: 0 }
  })

/** A lane whose calls are all answered at once, and whose answers take effect only when `settle` runs. */
function lane(limit: number, pending: readonly PendingCall[], characters = 1e6) {
  const table = new Map(pending.map((call) => [call.id, call]))
  const answered: string[] = []
  const seen = { most: 0, reads: 0 }
  let inMemory = 0
  const calls: LaneCalls = new LaneCalls(
    { lane: 0, epoch: 1 },
    {
      held: { calls: 0, characters: 0 },
      total: { calls: limit, characters },
      limit: () => ({ calls: limit, characters }),
      async read(known, most) {
        seen.reads++
        await soon()
        let before = 0
        return [...table.values()]
          .filter(({ id }) => !known.includes(id))
          .slice(0, most.calls)
          .filter(({ request }) => {
            const own = JSON.stringify(request).length
            before += own
            return before - own < most.characters
          })
      },
      answered: ({ id }) => answered.push(id),
      wake,
    },
  )
  function wake(): void {
    calls.refill((error) => {
      throw error
    })
    for (let call = calls.next(); call; call = calls.next()) {
      seen.most = Math.max(seen.most, ++inMemory)
      calls.answer({ source: 'answer', ...call, answer: {} })
    }
  }
  function settle(): void {
    for (const id of answered.splice(0, 500)) {
      table.delete(id)
      inMemory--
      calls.done(id)
    }
  }
  return { calls, table, seen, wake, settle }
}

test.each([1, 3, 1_000])('with room for %i calls, 1,500 are made to the last without other traffic', async (limit) => {
  const { table, seen, wake, settle } = lane(limit, callsOf(0, 1_500))
  wake()
  for (let turns = 0; table.size > 0 && turns < 50_000; turns++) {
    await soon()
    settle()
  }
  expect(table.size).toBe(0)
  expect(seen.most).toBeLessThanOrEqual(limit)
})

test('calls that are offered while others wait in the table are made from there', async () => {
  const { calls, table, wake, settle } = lane(10, callsOf(0, 30))
  wake()
  for (let turns = 0; turns < 2_000 && (turns < 100 || table.size > 0); turns++) {
    await soon()
    if (turns < 100) {
      const offered = callsOf(100 + turns * 3, 3)
      for (const call of offered) table.set(call.id, call)
      calls.offer(offered)
    }
    if (turns % 7 === 0) settle()
  }
  expect(table.size).toBe(0)
})

test('a table that cannot be read is not asked again at once, whatever is in memory', async () => {
  let reads = 0
  const calls: LaneCalls = new LaneCalls(
    { lane: 0, epoch: 1 },
    {
      held: { calls: 0, characters: 0 },
      total: { calls: 10, characters: 1e6 },
      limit: () => ({ calls: 10, characters: 1e6 }),
      read: () => {
        reads++
        return Promise.reject(new Error('gone'))
      },
      answered: () => {},
      wake: () => calls.refill(() => {}),
    },
  )
  calls.refill(() => {})
  for (let turns = 0; turns < 50; turns++) {
    await soon()
    calls.offer(callsOf(turns, 1))
  }
  expect(reads).toBe(1)
  calls.close()
})

test('requests of 100 kB: as many as fit are in memory, and all are made', async () => {
  const large = callsOf(0, 100).map((call) => ({ ...call, request: { text: 'x'.repeat(100_000) } }))
  const { calls, table, seen, wake, settle } = lane(1_000, large, 500_000)
  wake()
  for (let turns = 0; turns < 2_000 && (turns < 20 || table.size > 0); turns++) {
    await soon()
    if (turns < 20) {
      const offered = { ...large[0]!, id: `offered-${turns}` }
      table.set(offered.id, offered)
      calls.offer([offered])
    }
    settle()
  }
  expect(table.size).toBe(0)
  expect(seen.most).toBeLessThanOrEqual(6)
})

test('a request larger than the limit is made, alone', async () => {
  const large = callsOf(0, 3).map((call) => ({ ...call, request: { text: 'x'.repeat(1_000) } }))
  const { table, seen, wake, settle } = lane(1_000, large, 100)
  wake()
  for (let turns = 0; turns < 100 && table.size > 0; turns++) {
    await soon()
    settle()
  }
  expect(table.size).toBe(0)
  expect(seen.most).toBe(1)
})
