import type { Kafka } from 'kafkajs'
import { whileLeadersMove } from '../admin.ts'
import { FetchClient } from './fetch-client.ts'
import type { PartitionOf } from './fetch-client.ts'

/** A transaction of a producer that is not Tally's. Consumers read up to its first record until it ends. */
export interface OpenTransaction extends PartitionOf {
  /** Of its first record: the last stable offset. */
  readonly offset: number
  /** The high watermark. The offsets from `offset` on are held back. */
  readonly end: number
  /** When its first record was written, UTC epoch ms; undefined if the record cannot be read. */
  readonly since: number | undefined
  readonly openMs: number | undefined
}

const firstBytes = 64 * 1024

/** The high watermarks of partitions, by place as in `orders/3`: behind the last record, committed or not. */
export const readHighWatermarks = (kafka: Kafka, places: readonly PartitionOf[]): Promise<Map<string, number>> =>
  withClient(kafka, places, (client) => client.ends(places, 'uncommitted'))

/**
 * Partitions whose last stable offset is before their high watermark. One that lasts is a producer that hangs: the broker
 * aborts it after the producer's `transaction.timeout.ms`.
 * @param places `topic` is the name on the broker
 * @throws errors of kafkajs
 */
export const readOpenTransactions = (kafka: Kafka, places: readonly PartitionOf[]): Promise<OpenTransaction[]> =>
  withClient(kafka, places, async (client) => {
    const stable = await client.ends(places, 'committed') // First: what is committed in between is not taken for open
    const all = await client.ends(places, 'uncommitted')
    const waiting = places.flatMap((place) => {
      const offset = stable.get(nameOf(place))
      const end = all.get(nameOf(place))
      return offset === undefined || end === undefined || offset >= end ? [] : [{ ...place, offset, end }]
    })
    if (waiting.length === 0) return []
    // Most were records on their way to the other replicas, or a transaction that has ended since
    const again = await client.ends(waiting, 'committed')
    const open = waiting.filter((place) => again.get(nameOf(place)) === place.offset)
    const batches = await client.fetch(open, firstBytes, 'uncommitted').catch(() => [])
    return open.map((place) => {
      const first = batches.find(({ topic, partition }) => topic === place.topic && partition === place.partition)
      const timestamp = first?.messages.find(({ offset }) => Number(offset) >= place.offset)?.timestamp
      const since = timestamp === undefined ? undefined : Number(timestamp)
      return { ...place, since, openMs: since === undefined ? undefined : Date.now() - since }
    })
  })

/** A broker may be lost meanwhile: then others are asked. */
const withClient = <T>(
  kafka: Kafka,
  places: readonly PartitionOf[],
  work: (client: FetchClient) => Promise<T>,
): Promise<T> =>
  whileLeadersMove(async () => {
    const client = new FetchClient(kafka)
    try {
      await client.connect([...new Set(places.map(({ topic }) => topic))])
      return await work(client)
    } finally {
      await client.disconnect()
    }
  })

const nameOf = ({ topic, partition }: PartitionOf): string => `${topic}/${partition}`
