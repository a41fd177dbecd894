import { createRequire } from 'node:module'
import { expect, jest, test } from '@jest/globals'
import fc from 'fast-check'
import { fastProduceRequest } from './produce-request.ts'
import type { MakeProduceRequest } from './produce-request.ts'

const original = createRequire(import.meta.url)(
  'kafkajs/src/protocol/requests/produce/v7/request',
) as MakeProduceRequest
const fast = fastProduceRequest(original)

const text = fc.oneof(fc.string({ maxLength: 100 }), fc.string({ unit: 'binary', maxLength: 100 }))
const bytes = fc.uint8Array({ maxLength: 9_000 }).map((array) => Buffer.from(array))
const header = fc.oneof(text, bytes)
const message = fc.record({
  key: fc.oneof(text, bytes, fc.constant(null)),
  value: fc.oneof(text, bytes, fc.constant(null)),
  headers: fc.dictionary(text, fc.oneof(header, fc.array(header, { maxLength: 3 })), { maxKeys: 12 }),
})
const request = fc.record({
  acks: fc.constantFrom(-1, 1),
  timeout: fc.nat(),
  transactionalId: fc.option(text, { nil: null }),
  producerId: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
  producerEpoch: fc.nat(2 ** 15 - 1),
  topicData: fc.array(
    fc.record({
      topic: text,
      partitions: fc.array(
        fc.record({
          partition: fc.nat(),
          firstSequence: fc.nat(2 ** 31 - 1),
          messages: fc.array(message, { minLength: 1, maxLength: 70 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 2 },
  ),
})

test('writes the very bytes kafkajs writes', async () => {
  jest.spyOn(Date, 'now').mockReturnValue(1_763_900_000_000)
  await fc.assert(
    fc.asyncProperty(request, async (asked) => {
      const [ours, theirs] = [await fast(asked).encode(), await original(asked).encode()]
      expect(ours.buf.subarray(0, ours.offset).equals(theirs.buf.subarray(0, theirs.offset))).toBe(true)
    }),
    { numRuns: 300 },
  )
})

test('leaves compressed records and those with a time of their own to kafkajs', async () => {
  const asked = (message: object) => ({
    ...{
      acks: -1,
      timeout: 1,
      topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [message as never] }] }],
    },
  })
  const timed = asked({ value: 'v', timestamp: '1763900000000' })
  const [ours, theirs] = [await fast(timed).encode(), await original(timed).encode()]
  expect(ours.buf.subarray(0, ours.offset)).toEqual(theirs.buf.subarray(0, theirs.offset))
  const packed = await fast({ ...asked({ value: 'v'.repeat(1_000) }), compression: 1 }).encode()
  expect(packed.offset).toBeLessThan(500)
})
