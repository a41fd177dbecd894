import { expect, test } from '@jest/globals'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { createTestLogger } from '../../../infra/testing/test-logger.ts'
import type { PendingCall } from '../tables/call-table.ts'
import { Caller } from './caller.ts'

const cause = { id: 'c', eventId: 'c', time: 0, chainTime: 0, correlationId: 'o' }
const calls = Array.from(
  { length: 64 },
  (_, n): PendingCall => ({ id: `call-${n}`, key: 'o', kind: 'ask', request: {}, cause, attempts: 0, waitMs: 0 }),
)

test('calls that fail at the same time leave the connections to the batches: they are noted one at a time', async () => {
  const noted = { now: 0, most: 0, all: 0 }
  const done = Promise.withResolvers<void>()
  const query = async ({ name }: { name: string }) => {
    if (name === 'call_read') return { rows: noted.all === 0 ? calls : [] }
    noted.most = Math.max(noted.most, ++noted.now)
    await new Promise((resolve) => void setImmediate(resolve))
    noted.now--
    if (++noted.all === calls.length) done.resolve()
    return { rows: [] }
  }
  const ended = Promise.withResolvers<never>()
  const ask = { make: () => ended.promise }
  const log = createTestLogger('silent')
  const caller = new Caller({ calls: { ask }, pool: { query } as unknown as Pool, log })
  caller.open({ lane: 0, epoch: 1 }, () => {})
  await new Promise((resolve) => void setImmediate(resolve))
  ended.reject(new Error('the gateway is gone'))
  await done.promise
  caller.stop()
  expect(noted).toEqual({ now: 0, most: 1, all: calls.length })
})
