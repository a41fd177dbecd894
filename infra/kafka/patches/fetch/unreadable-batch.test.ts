import { createRequire } from 'node:module'
import { expect, test } from '@jest/globals'
import type { Batch } from 'kafkajs'
import { readBatches } from './fetch-response.ts'
import { batchLimits } from './record-batch.ts'
import type { FetchedRecord } from './record-batch.ts'
import { batchOf } from './testing/batch-bytes.ts'
import { findUnreadable } from './unreadable-batch.ts'

/** A batch of records without content; of many only nine are there. */
const batchAt = (offset: number, count = 2): Buffer =>
  batchOf(Buffer.from(Array.from({ length: Math.min(count, 9) }, (_, i) => [12, 0, 0, i * 2, 1, 1, 0]).flat()), {
    offset,
    count,
  })
const changed = (batch: Buffer, change: (batch: Buffer) => void) => {
  change(batch)
  return batch
}
const damaged = (offset: number) => changed(batchAt(offset), (batch) => (batch[22]! ^= 0x20))
const read = (...batches: Buffer[]) =>
  readBatches(Buffer.concat(batches), { bytes: batchLimits.total }, async () => {
    throw new Error('not to be read')
  })

test('what is before a batch that cannot be read is read', async () => {
  const messages = await read(batchAt(10), damaged(12), batchAt(14))
  expect(messages.map(({ offset }) => offset)).toEqual(['10', '11'])
  expect(findUnreadable(messages)).toBeUndefined()
})

test.each<[string, Buffer[], { from: number; to: number; error: object }]>([
  [
    'damaged',
    [damaged(12), batchAt(20)],
    { from: 12, to: 20, error: { code: 'UNREACHABLE', message: expect.stringContaining('its checksum is wrong') } },
  ],
  ['damaged and the last one', [damaged(12)], { from: 12, to: 14, error: { code: 'UNREACHABLE' } }],
  [
    'of too many records',
    [batchAt(12, 250_001), batchAt(250_013)],
    { from: 12, to: 250_013, error: { code: 'INVARIANT', message: expect.stringContaining('250001 records') } },
  ],
  [
    'of a length that cannot be',
    [changed(batchAt(12), (batch) => batch.writeInt32BE(-12, 8))],
    { from: 12, to: 14, error: { code: 'INVARIANT', message: 'a record batch of -12 bytes' } },
  ],
  [
    'of the old format and malformed',
    [changed(batchAt(12), (batch) => batch.writeInt8(1, 16))],
    { from: 12, to: 13, error: { message: 'not to be read' } },
  ],
])('a batch that is %s stands alone, with its offsets and the reason', async (_, batches, expected) => {
  const messages = await read(...batches)
  expect(messages).toHaveLength(1)
  expect(findUnreadable(messages)).toMatchObject(expected)
})

test.each(['12', '15', '900000'])('kafkajs hands it out wherever it began to read: at %s', async (from) => {
  const OfKafkajs = createRequire(import.meta.url)('kafkajs/src/consumer/batch.js') as new (
    topic: string,
    from: string,
    answer: object,
  ) => Batch
  const messages = await read(damaged(12), batchAt(20))
  const answer = { partition: 0, highWatermark: '40', abortedTransactions: [], messages }
  const batch = new OfKafkajs('orders', from, answer)
  expect(batch.isEmpty()).toBe(false)
  expect(findUnreadable(batch.messages)).toMatchObject({ from: 12, to: 20 })
})

test('tiny records fill the memory of an answer, too: what does not fit is fetched again', async () => {
  const count = 100_000
  const one = Buffer.from([16, 0, 0, 0x80, 0x80, 0, 1, 1, 0]) // Offsets do not matter here
  const tiny = (offset: number) => batchOf(Buffer.concat(Array<Buffer>(count).fill(one)), { offset, count })
  const room = { bytes: batchLimits.total }
  const never = () => Promise.reject(new Error('not to be read'))
  const messages = await readBatches(Buffer.concat([0, 1, 2, 3].map((n) => tiny(n * count))), room, never)
  const records = messages.filter((message) => !(message as FetchedRecord).isControlRecord)
  expect(records).toHaveLength(2 * count)
  expect(await readBatches(tiny(0), room, never)).toEqual([]) // The next partition of the answer
})
