import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import kafkajs from 'kafkajs'
import { givesSignOfLife } from '../raw-request.ts'
import { patchOf, requireInternal } from './patch-of.ts'

interface Errors {
  KafkaJSConnectionClosedError: new (message: string, broker: { host: string; port: number }) => Error
}
interface Connection {
  readonly socket?: Socket
  disconnect(): Promise<unknown>
}
interface ConnectionPool {
  readonly host: string
  readonly port: number
  readonly ssl?: ConnectionOptions
  readonly pool: readonly { socket?: Socket; rejectRequests(error: Error): void }[]
  send(request: object): Promise<unknown>
}

/** Brokers (host:port) that left a request of this process unanswered and have not answered since. */
const silent = new Set<string>()

/**
 * A broker that froze, or whose machine died without a word, keeps its connections. kafkajs 2.2.4 waits for the answer to each
 * request in turn, then sends the next one to the same broker, and learns of new leaders from no other. Here such a
 * connection is closed, upon which kafkajs forgets the broker and asks another one; and as long as the broker stays silent,
 * requests to it fail after a second. Once its queue of new connections is full, connecting to it takes two minutes to fail;
 * a connection that kafkajs gave up is closed at once, or the process could not end before that. Does nothing on any other
 * version.
 */
export const patchSilentBroker = patchOf(() => {
  const { prototype } = requireInternal('kafkajs/src/network/connectionPool') as { prototype: ConnectionPool }
  const { prototype: connection } = requireInternal('kafkajs/src/network/connection') as { prototype: Connection }
  const disconnect = connection.disconnect
  connection.disconnect = async function (this: Connection) {
    const done = await disconnect.call(this)
    if (this.socket?.connecting) this.socket.destroy() // `end` would wait for the connection
    return done
  }
  const original = prototype.send
  prototype.send = async function (this: ConnectionPool, request: object) {
    const address = `${this.host}:${this.port}`
    if (silent.has(address)) {
      if (!(await givesSignOfLife(this))) throw close(this, `${address} is silent`)
      silent.delete(address)
    }
    try {
      return await original.call(this, request)
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSRequestTimeoutError)) throw error
      silent.add(address)
      throw close(this, error.message)
    }
  }
})

function close({ host, port, pool }: ConnectionPool, why: string): Error {
  const { KafkaJSConnectionClosedError } = requireInternal('kafkajs/src/errors') as Errors
  const error = new KafkaJSConnectionClosedError(why, { host, port })
  for (const connection of pool) {
    connection.rejectRequests(error) // kafkajs waits for them before it connects again
    connection.socket?.destroy()
  }
  return error
}
