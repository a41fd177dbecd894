import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** A proxy between a service and PostgreSQL that cuts the connection at a chosen moment. */
export interface DatabaseProxy extends AsyncDisposable {
  /** Connect here instead. */
  url: string
  /** Lets the next transaction that stores orders commit but withholds the answer. Resolves once the commit is sent. */
  swallowNextCommit(): Promise<void>
  /** Closes all connections and accepts no new ones. */
  cut(): void
  mend(): void
}

export async function proxyDatabase(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let swallow: PromiseWithResolvers<void> | undefined
  let cut = false

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    let storesOrders = false
    let mute = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => (client.destroy(), upstream.destroy()))
    }
    if (cut) client.destroy()
    client.on('data', (chunk) => {
      storesOrders ||= chunk.includes('order_insert')
      if (storesOrders && chunk.includes('commit\0')) {
        storesOrders = false
        mute = swallow !== undefined
        swallow?.resolve()
        swallow = undefined
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => mute || client.write(chunk))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const own = new URL(databaseUrl)
  own.hostname = '127.0.0.1'
  own.port = String((server.address() as AddressInfo).port)
  const end = () => {
    cut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: own.href,
    swallowNextCommit: () => (swallow = Promise.withResolvers()).promise,
    cut: end,
    mend: () => void (cut = false),
    async [Symbol.asyncDispose]() {
      end()
      server.close()
      await once(server, 'close')
    },
  }
}
