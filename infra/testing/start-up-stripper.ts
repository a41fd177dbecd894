import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** A pooler's stand-in: forwards connections to PostgreSQL, but drops what clients ask for when they start. */
export interface StartUpStripper extends AsyncDisposable {
  readonly port: number
  /** Names of the parameters dropped so far. */
  readonly dropped: ReadonlySet<string>
}

const kept = new Set(['user', 'database'])

/** @param target URL of the database */
export async function stripStartUp(target: URL): Promise<StartUpStripper> {
  const dropped = new Set<string>()
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => (sockets.delete(socket), client.destroy(), upstream.destroy()))
    }
    let begun = Buffer.alloc(0)
    client.on('data', (piece) => {
      begun = Buffer.concat([begun, piece])
      if (begun.length < 8 || begun.length < begun.readInt32BE(0)) return
      client.removeAllListeners('data')
      const length = begun.readInt32BE(0)
      upstream.write(withoutParameters(begun.subarray(0, length), dropped))
      upstream.write(begun.subarray(length))
      client.pipe(upstream)
    })
    upstream.pipe(client)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    dropped,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A StartupMessage (PostgreSQL protocol 3.0) with user and database only; any other first message unchanged. */
function withoutParameters(message: Buffer, dropped: Set<string>): Buffer {
  if (message.readInt32BE(4) >> 16 !== 3) return message // A request for TLS, or to cancel a statement
  const texts = message.toString('utf8', 8).split('\0')
  let parameters = ''
  for (let index = 0; texts[index]; index += 2) {
    const [name = '', value = ''] = texts.slice(index, index + 2)
    if (kept.has(name)) parameters += `${name}\0${value}\0`
    else dropped.add(name)
  }
  const body = Buffer.from(`${parameters}\0`)
  const start = Buffer.from(message.subarray(0, 8))
  start.writeInt32BE(8 + body.length, 0)
  return Buffer.concat([start, body])
}
