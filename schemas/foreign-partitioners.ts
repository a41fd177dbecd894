import { crc32 } from 'node:zlib'
import { Partitioners } from 'kafkajs'

interface Partitioner {
  /** Which clients choose like that, and what to set there. */
  readonly advice: string
  choose(key: Buffer, partitions: number): number
}

const partitioners: readonly Partitioner[] = [
  {
    advice:
      'librdkafka does by default (confluent-kafka, node-rdkafka, rdkafka, also ruby-kafka): set its partitioner to murmur2_random',
    choose: (key, partitions) => crc32(key) % partitions,
  },
  {
    advice:
      'Sarama and kafka-go do by hash (FNV-1a): use a murmur2 partitioner there (kafka-go: Murmur2Balancer; librdkafka with fnv1a: murmur2_random)',
    choose: (key, partitions) => Math.abs(fnv1a(key) % partitions),
  },
  {
    advice: 'the reference hash of Sarama does (FNV-1a): use a murmur2 partitioner there',
    choose: (key, partitions) => (fnv1a(key) & 0x7fff_ffff) % partitions,
  },
  {
    advice: 'the LegacyPartitioner of kafkajs does: set createPartitioner to Partitioners.DefaultPartitioner',
    choose: (key, partitions) =>
      legacy({
        topic: '',
        partitionMetadata: Array.from({ length: partitions }, (_, partitionId) => ({
          partitionId,
          leader: 1,
        })) as never,
        message: { key, value: null },
      }),
  },
]

const legacy = Partitioners.LegacyPartitioner()

/**
 * Why a producer may have put a record into another partition than its event's key belongs to, and what to change there. Of few
 * partitions a partitioner hits one by chance, so all that fit are named.
 * @param recordKey of the record, from which clients compute its partition
 * @param key of the event
 */
export function whyOtherPartition(
  recordKey: Buffer | null,
  key: string,
  { partition, partitions }: { partition: number; partitions: number },
): string {
  if (recordKey === null) return 'the record has no key; send the key of the event as its key'
  if (!recordKey.equals(Buffer.from(key)))
    return `the key of the record is ${JSON.stringify(recordKey.toString().slice(0, 60))}; send the key of the event, as text`
  const found = partitioners.filter((each) => each.choose(recordKey, partitions) === partition)
  if (found.length === 0)
    return 'its producer chose the partition itself, or by another number of partitions; use the murmur2 partitioner of Java'
  return `its producer chose as ${found.map(({ advice }) => advice).join('; or as ')}`
}

/** As a signed integer of 32 bits. */
function fnv1a(bytes: Buffer): number {
  let hash = 0x811c_9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193)
  return hash | 0
}
