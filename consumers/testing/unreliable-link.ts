import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** `down`: no connection is taken; `deaf`: questions pass and answers are lost; `up`: as if it were not there. */
export type LinkState = 'down' | 'deaf' | 'up'

export interface UnreliableLink extends AsyncDisposable {
  /** Where to connect to instead of the server. */
  readonly url: string
  /** Ends the connections there are: the next ones find it so. */
  become(state: LinkState): void
}

/** A way to a server on this machine that a test can break. */
export async function createUnreliableLink(serverUrl: string): Promise<UnreliableLink> {
  const { hostname, port } = new URL(serverUrl)
  const sockets = new Set<Socket>()
  let state: LinkState = 'up'
  const keep = (socket: Socket) => {
    sockets.add(socket)
    return socket.on('error', () => {}).once('close', () => sockets.delete(socket))
  }
  const endAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const link = createServer((client) => {
    keep(client)
    if (state === 'down') return client.destroy()
    const server = keep(connect(Number(port), hostname))
    client.pipe(server)
    if (state === 'deaf') server.resume()
    else server.pipe(client)
    client.once('close', () => server.destroy())
    server.once('close', () => client.destroy())
  })
  link.listen(0, '127.0.0.1')
  await once(link, 'listening')
  return {
    url: `http://127.0.0.1:${(link.address() as AddressInfo).port}`,
    become(next) {
      state = next
      endAll()
    },
    async [Symbol.asyncDispose]() {
      endAll()
      link.close()
      await once(link, 'close')
    },
  }
}
