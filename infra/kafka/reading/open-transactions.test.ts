import { expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import type { Kafka } from 'kafkajs'
import { readHighWatermarks } from './open-transactions.ts'

const places = [
  { topic: 'orders', partition: 0 },
  { topic: 'orders', partition: 1 },
]
const lost = () => new kafkajs.KafkaJSConnectionError('Connection error: connect ECONNREFUSED 127.0.0.1:9093')

/** A cluster whose leader of partition 1 is lost for the first clients, or that cannot be connected to at all. */
function cluster({ lostFor = 0, connects = true }) {
  const clients = { made: 0, open: 0 }
  const createCluster = () => {
    const number = clients.made++
    return {
      connect: async () => {
        if (!connects) throw lost()
        clients.open++
      },
      disconnect: async () => void (clients.open -= Number(connects)),
      addMultipleTargetTopics: async () => {},
      findLeaderForPartitions: (_topic: string, [partition]: number[]) => ({ [String(partition)]: [partition] }),
      findBroker: async ({ nodeId }: { nodeId: string }) => {
        if (nodeId === '1' && number < lostFor) throw lost()
        return {
          listOffsets: async () => ({
            responses: [{ topic: 'orders', partitions: [{ partition: Number(nodeId), offset: '7' }] }],
          }),
        }
      },
    }
  }
  return { kafka: { [Symbol('private:Kafka:createCluster')]: createCluster } as unknown as Kafka, clients }
}

test('a leader that is lost while the ends are asked for is looked for again, each time by a new client', async () => {
  const { kafka, clients } = cluster({ lostFor: 2 })
  expect(await readHighWatermarks(kafka, places)).toEqual(
    new Map([
      ['orders/0', 7],
      ['orders/1', 7],
    ]),
  )
  expect(clients).toEqual({ made: 3, open: 0 })
})

test('if no broker can be connected to, that is told at once', async () => {
  const { kafka, clients } = cluster({ connects: false })
  await expect(readHighWatermarks(kafka, places)).rejects.toThrow('ECONNREFUSED')
  expect(clients).toEqual({ made: 1, open: 0 })
})
