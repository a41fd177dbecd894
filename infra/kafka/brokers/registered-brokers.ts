import type { Kafka } from 'kafkajs'
import { sendRequest } from '../send-request.ts'
import { ResponseReader } from '../response-reader.ts'

const apiKeyDescribeCluster = 60
const version = 2
const [noOperations, ofBrokers, fencedToo, noTags] = [0, 1, 1, 0]

/**
 * Counts the brokers of the cluster, including those that are down: the controller keeps each one until it is unregistered.
 * kafkajs learns only of running brokers.
 * Source: Apache Kafka protocol guide, DescribeCluster API, version 2 (Kafka 4.0).
 * @returns undefined if the brokers are too old to answer
 * @throws Error if no broker answers
 */
export async function countRegistered(kafka: Kafka): Promise<number | undefined> {
  const body = Buffer.from([noTags, noOperations, ofBrokers, fencedToo, noTags])
  const request = { name: 'DescribeCluster', apiKey: apiKeyDescribeCluster, version, body }
  try {
    return decodeCount(await sendRequest(kafka, request))
  } catch (error) {
    // How old brokers refuse a version
    if (error instanceof Error && error.name === 'KafkaJSConnectionClosedError') return undefined
    throw error
  }
}

/** @param answer the response behind its correlation id */
export function decodeCount(answer: Buffer): number | undefined {
  const response = new ResponseReader(answer)
  response.skipTags()
  response.skip(4) // Throttle time
  if (response.int16() !== 0) return undefined
  response.text() // Error message
  response.skip(1) // Endpoint type
  response.text() // Cluster id
  response.skip(4) // Controller
  return response.unsignedVarint() - 1
}
