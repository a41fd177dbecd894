import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { laneOf } from './partition.ts'

const partitioner = kafkajs.Partitioners.DefaultPartitioner()
const byKafkajs = (key: string, partitions: number) =>
  partitioner({
    topic: 'orders',
    partitionMetadata: Array.from({ length: partitions }, (_, partitionId) => ({
      partitionId,
      leader: 1,
      partitionErrorCode: 0,
      replicas: [1],
      isr: [1],
    })),
    message: { key, value: null },
  })

// Hashes from the tests of Kafka's Java client (UtilsTest)
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('%p is where Java puts it', (key, hash) => {
  expect(laneOf(key, 2 ** 31 - 1)).toBe((hash & 0x7fffffff) % (2 ** 31 - 1))
})

test('every key is where kafkajs puts it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (key, partitions) => {
      expect(laneOf(key, partitions)).toBe(byKafkajs(key, partitions))
    }),
    { numRuns: 2000 },
  )
})
