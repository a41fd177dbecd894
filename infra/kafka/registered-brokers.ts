import { answeringBroker, exchange, frame } from './raw-request.ts'

const apiKeyDescribeCluster = 60
const version = 2
const [noOperations, ofBrokers, fencedToo, noTags] = [0, 1, 1, 0]

/**
 * How many brokers the cluster has, those that are down counted: the controller remembers each one until it is unregistered.
 * kafkajs is told only of the brokers that live.
 * Source: Apache Kafka protocol guide, DescribeCluster API, version 2 (Kafka 4.0).
 * @param brokers host:port, plaintext
 * @returns undefined if the brokers are too old to say
 * @throws Error when no broker answers
 */
export async function countRegistered(brokers: readonly string[]): Promise<number | undefined> {
  const body = Buffer.from([noTags, noOperations, ofBrokers, fencedToo, noTags])
  const request = frame(apiKeyDescribeCluster, version, body)
  try {
    return decodeCount(await exchange(await answeringBroker(brokers), request))
  } catch (error) {
    if (error instanceof Error && error.message === 'connection closed') return undefined // How old ones refuse a version
    throw error
  }
}

/** @param answer the response with its correlation id, without its size */
export function decodeCount(answer: Buffer): number | undefined {
  let at = 4 + 1 + 4 // Correlation id, no tags, throttle time
  if (answer.readInt16BE(at) !== 0) return undefined
  at += 2
  const unsigned = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = answer.readUInt8(at++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const skipText = () => {
    const length = Math.max(0, unsigned() - 1) // Read first: `at +=` would take `at` from before the length
    at += length
  }
  skipText() // Error message
  at += 1 // Endpoint type
  skipText() // Cluster id
  at += 4 // Controller
  return unsigned() - 1
}
