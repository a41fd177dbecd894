import { expect, test } from '@jest/globals'
import { decodeTopicIds } from './topic-ids.ts'

test('ids are read past brokers, partitions and tags; unknown topics are absent', () => {
  const answer = Buffer.concat([
    ...[noTags, int32(0)],
    ...[count(2), broker('127.0.0.1', nullText, noTags), broker('b', text('rack'), Buffer.from([1, 0, 2, 9, 9]))],
    ...[text('cluster'), int32(1)],
    ...[count(3), topic('orders', 3, 0), topic('payments', 4, 0), topic('gone', 0, 3), noTags],
  ])
  expect([...decodeTopicIds(answer)]).toEqual([
    ['orders', '03'.repeat(16)],
    ['payments', '04'.repeat(16)],
  ])
})

const noTags = Buffer.from([0])
const nullText = Buffer.from([0])
const count = (items: number) => Buffer.from([items + 1])
const text = (value: string) => Buffer.concat([count(value.length), Buffer.from(value)])

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const broker = (host: string, rack: Buffer, tags: Buffer) =>
  Buffer.concat([int32(1), text(host), int32(9092), rack, tags])

const topic = (name: string, id: number, error: number) => {
  const replicas = [count(2), int32(1), int32(2), count(1), int32(1), count(0)]
  const partition = Buffer.concat([Buffer.from([0, 0]), int32(0), int32(1), int32(7), ...replicas, noTags])
  const internal = Buffer.from([0])
  return Buffer.concat([
    ...[Buffer.from([0, error]), text(name), Buffer.alloc(16, id), internal],
    ...[count(2), partition, partition, int32(0), noTags],
  ])
}
