import { createRequire } from 'node:module'
import type { Kafka } from 'kafkajs'
import { clusterOf } from './cluster.ts'
import type { Cluster } from './cluster.ts'
import { Kept } from './kept.ts'

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

/** Connections to one of the client's brokers, for requests made by hand. */
export const keptConnection = (kafka: Kafka): Kept<Cluster> =>
  new Kept(
    () => Promise.resolve(clusterOf(kafka)),
    (cluster) => cluster.disconnect(),
  )

/**
 * Sends one request.
 * @param to a client, of which one broker is connected to for this request; or a connection that stays
 * @returns the answer behind its correlation id: it begins with the tagged fields of the header
 * @throws errors of kafkajs; Error when there is no answer within `withinMs`
 */
export async function sendRequest(
  to: Kafka | Kept<Cluster>,
  request: HandMadeRequest,
  withinMs = 5_000,
): Promise<Buffer> {
  const connection = to instanceof Kept ? to : keptConnection(to)
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('no answer in time')), withinMs)
  try {
    return await connection.use((cluster) => Promise.race([exchange(cluster, request), late.promise]))
  } finally {
    clearTimeout(timer)
    if (connection !== to) connection.close()
  }
}

async function exchange(cluster: Cluster, request: HandMadeRequest): Promise<Buffer> {
  await cluster.connect() // Where it is not, or has to log in again
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
