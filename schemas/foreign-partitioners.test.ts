import { expect, test } from '@jest/globals'
import { Partitioners } from 'kafkajs'
import { whyOtherPartition } from './foreign-partitioners.ts'
import { laneOf } from './partition.ts'

const why = (key: string, partition: number, recordKey: string | null = key, partitions = 1_009) =>
  whyOtherPartition(recordKey === null ? null : Buffer.from(recordKey), key, { partition, partitions })

// CRC-32 of "123456789" is 0xcbf43926; FNV-1a of "foobar" is 0xbf9cf968, negative as an integer of 32 bits, of "b" 0xe70c2de5
test.each<[string, number, string, RegExp]>([
  ['librdkafka', 0xcbf4_3926 % 1_009, '123456789', /librdkafka does by default.*murmur2_random$/],
  ['Sarama', (0x1_0000_0000 - 0xbf9c_f968) % 1_009, 'foobar', /Sarama and kafka-go do by hash/],
  ['Sarama, reference hash', (0xbf9c_f968 & 0x7fff_ffff) % 1_009, 'foobar', /the reference hash of Sarama/],
])('a key where %s puts it', (_, partition, key, message) => expect(why(key, partition)).toMatch(message))

test('a key where kafkajs once put it', () => {
  const legacy = Partitioners.LegacyPartitioner()
  const partitionMetadata = Array.from({ length: 1_009 }, (_, partitionId) => ({ partitionId, leader: 1 })) as never
  const key = Array.from({ length: 1_000 }, (_, i) => `order-${i}`).find(
    (each) => legacy({ topic: 't', partitionMetadata, message: { key: each, value: null } }) !== laneOf(each, 1_009),
  )!
  const partition = legacy({ topic: 't', partitionMetadata, message: { key, value: null } })
  expect(why(key, partition)).toMatch(/^its producer chose as the LegacyPartitioner of kafkajs.*DefaultPartitioner$/)
})

test('a record whose own key is another', () => {
  expect(why('o-1', 7, '"o-1"')).toBe('the key of the record is "\\"o-1\\""; send the key of the event, as text')
  expect(why('o-1', 7, null)).toBe('the record has no key; send the key of the event as its key')
})

test('no partitioner that is known', () => {
  const partition = Array.from({ length: 1_009 }, (_, i) => i).find(
    (i) => !why('o-1', i).startsWith('its producer chose as'),
  )!
  expect(why('o-1', partition)).toMatch(/chose the partition itself.*murmur2/)
})
