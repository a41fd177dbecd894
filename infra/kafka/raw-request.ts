import type { KafkaServers } from '../security/kafka-access.ts'
import { openSocket, readBroker } from './broker-socket.ts'
import type { BrokerAddress } from './broker-socket.ts'

/**
 * A request as it goes over the wire, with its header before the tagged fields of flexible versions.
 * Source: Apache Kafka protocol guide, "Protocol primitive types" and "Headers".
 */
function frame(apiKey: number, version: number, body: Buffer): Buffer {
  const clientId = Buffer.from('tally')
  const header = Buffer.alloc(14)
  header.writeInt32BE(header.length - 4 + clientId.length + body.length, 0)
  header.writeInt16BE(apiKey, 4)
  header.writeInt16BE(version, 6)
  header.writeInt32BE(1, 8)
  header.writeInt16BE(clientId.length, 12)
  return Buffer.concat([header, clientId, body])
}

/**
 * Sends one framed request to a broker, without a login, and resolves with the answer behind its length.
 * @throws Error when it cannot be reached, hangs up, or does not answer within `timeoutMs`
 */
function exchange(broker: BrokerAddress, request: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = openSocket({ ...broker, onConnect: () => socket.write(request) })
    let received = Buffer.alloc(0)
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer in time')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('connection closed')))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return
      resolve(received.subarray(4))
      socket.destroy()
    })
  })
}

/** The one request that a broker answers before a login. */
const askVersions = frame(18, 0, Buffer.alloc(0))
const signOfLifeMs = 1_000

/** Whether a broker answers within a second. */
export const givesSignOfLife = (broker: BrokerAddress): Promise<boolean> =>
  exchange(broker, askVersions, signOfLifeMs).then(
    () => true,
    () => false,
  )

/**
 * A broker (host:port) that answers now, the first of those asked at once. One that is frozen still accepts connections, and
 * kafkajs would stay with it. A lone one is not asked.
 * @throws Error when none answers within a second
 */
export function answeringBroker({ brokers, tls: ssl }: KafkaServers): Promise<string> {
  const [only] = brokers
  if (only !== undefined && brokers.length === 1) return Promise.resolve(only)
  const asking = brokers.map(async (broker) => {
    await exchange({ ...readBroker(broker), ssl }, askVersions, signOfLifeMs)
    return broker
  })
  return Promise.any(asking)
}
