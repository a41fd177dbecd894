import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import { clusterOf } from './cluster.ts'

/** A request that kafkajs does not know, in a flexible version of the protocol. */
export interface HandMadeRequest {
  /** Of the protocol guide: `Metadata`. */
  name: string
  apiKey: number
  version: number
  /** What follows the client id: the tagged fields of the header, then the request. */
  body: Buffer
}

interface Encoder {
  writeBuffer(bytes: Buffer): { buffer: Buffer; size(): number }
}
const KafkajsEncoder = createRequire(import.meta.url)('kafkajs/src/protocol/encoder.js') as new () => Encoder

/**
 * Sends one request over a connection of its own to one of the client's brokers.
 * @returns the answer behind its correlation id: it begins with the tagged fields of the header
 * @throws errors of kafkajs; Error when there is no answer within `withinMs`
 */
export async function sendRequest(kafka: Kafka, request: HandMadeRequest, withinMs = 5_000): Promise<Buffer> {
  const cluster = clusterOf(kafka)
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('no answer in time')), withinMs)
  const asking = async (): Promise<Buffer> => {
    await cluster.connect()
    const { answer } = await cluster.brokerPool.seedBroker.connectionPool.send({
      request: {
        apiName: request.name,
        apiKey: request.apiKey,
        apiVersion: request.version,
        encode: async () => new KafkajsEncoder().writeBuffer(request.body),
      },
      response: {
        decode: async (answer) => ({ answer, clientSideThrottleTime: 0 }),
        parse: async (decoded) => decoded,
      },
    })
    return answer
  }
  try {
    return await Promise.race([asking(), late.promise])
  } finally {
    clearTimeout(timer)
    void cluster.disconnect().catch(() => {})
  }
}
