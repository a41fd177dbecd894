import { expect, test } from '@jest/globals'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import type { RecordInput } from '../model.ts'
import { countTable } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import { hashedId } from './inbox/inbox.ts'
import { knownPlaces } from './known-places.ts'

const recordAt = (offset: number): RecordInput => {
  const placeId = () => hashedId(`orders/1/${offset}`)
  const message = { key: null, value: null, timestamp: '0', attributes: 0, offset: String(offset), headers: {} }
  const cause = { id: placeId(), eventId: placeId(), time: 0, chainTime: 0, correlationId: 'k' }
  return {
    source: 'record',
    topic: 'orders',
    partition: 1,
    offset,
    message,
    inboxId: placeId(),
    placeId,
    key: 'k',
    cause,
  }
}

test('a record is known by its place while it is parked unread, and after an operator has edited it', async () => {
  await using bench = await openTestBench('tester', countTable)
  const [parked, edited, dropped, unknown] = [3, 4, 5, 6].map(recordAt) as RecordInput[]
  await bench.pool.query('insert into inbox (event_id) values ($1)', [parked?.placeId()])
  for (const [input, action] of [
    [edited, 'EDITED'],
    [dropped, 'DROPPED'], // Its id stays in the inbox, so it needs no other proof
  ] as const) {
    await bench.pool.query(
      `insert into parked_audit (parked_id, lane, key, source, topic, partition, "offset", action, actor)
       values (1, 1, 'k', 'record', 'orders', 1, $1, $2, 'ada')`,
      [input?.offset, action],
    )
  }
  const inputs = [parked, edited, dropped, unknown].filter((input) => input !== undefined)
  const known = await inTransaction(bench.pool, (tx) => knownPlaces(tx, inputs))
  expect(known).toEqual(new Set([parked?.placeId(), edited?.placeId()]))
})
