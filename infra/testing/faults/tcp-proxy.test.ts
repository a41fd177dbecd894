import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { waitUntil } from '../wait-until.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** Answers every chunk in upper case and keeps what it received. */
async function shouter(): Promise<AsyncDisposable & { port: number; heard: string[] }> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (piece) => {
      heard.push(String(piece))
      socket.write(String(piece).toUpperCase())
    })
  })
  await listening(server)
  return {
    heard,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
const listening = (server: Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

/** A client that keeps what it received and how the connection ended. */
function client(port: number) {
  const seen = { text: '', ended: '' }
  const socket = connect(port, '127.0.0.1')
  socket.on('data', (piece) => (seen.text += String(piece)))
  socket.on('error', (error: NodeJS.ErrnoException) => (seen.ended = error.code ?? 'error'))
  socket.on('close', () => (seen.ended ||= 'closed'))
  return { seen, socket, says: (text: string) => socket.write(text) }
}

test('forwards both ways', async () => {
  await using server = await shouter()
  await using proxy = await TcpProxy.open({ target: { port: server.port } })
  const { seen, socket, says } = client(proxy.port)
  says('hello')
  await waitUntil('the answer', () => seen.text === 'HELLO')
  expect(proxy.connections).toBe(1)
  socket.destroy()
  await waitUntil('the link is gone', () => proxy.connections === 0)
})

test('a client that has sent everything still receives the answer', async () => {
  const server = createServer({ allowHalfOpen: true }, async (socket) => socket.end(`${(await text(socket)).length}`))
  await listening(server)
  await using proxy = await TcpProxy.open({ target: { port: (server.address() as AddressInfo).port } })
  const { seen, socket } = client(proxy.port)
  socket.end('x'.repeat(1_000_000)) // More than fits into the buffers on the way
  await waitUntil('the answer', () => seen.text === '1000000')
  await waitUntil('the link is gone', () => proxy.connections === 0)
  server.close()
})

test('a reader that does not read blocks the writer', async () => {
  const silent = createServer({ pauseOnConnect: true })
  const readers: Socket[] = []
  silent.on('connection', (socket) => readers.push(socket))
  await listening(silent)
  await using proxy = await TcpProxy.open({ target: { port: (silent.address() as AddressInfo).port } })
  const { socket } = client(proxy.port)
  const flood = Buffer.alloc(64 * 1024)
  const before = process.memoryUsage().arrayBuffers
  let refused = 0
  for (let written = 0; written < 100 * 1024 * 1024 && refused < 3; written += flood.length) {
    if (socket.write(flood)) continue
    const drained = await Promise.race([once(socket, 'drain').then(() => true), delay(100, false)])
    refused = drained ? 0 : refused + 1
  }
  expect(refused).toBe(3) // It stopped before everything was written …
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024) // … and nothing was buffered
  for (const each of [socket, ...readers]) each.destroy()
  silent.close()
})

test('cut and reset end connections and refuse new ones until healed', async () => {
  await using server = await shouter()
  await using proxy = await TcpProxy.open({ target: { port: server.port } })
  const first = client(proxy.port)
  first.says('a')
  await waitUntil('it works', () => first.seen.text === 'A')
  proxy.inject({ kind: 'reset' })
  await waitUntil('it is reset', () => first.seen.ended === 'ECONNRESET')
  const second = client(proxy.port)
  await waitUntil('none is let in', () => second.seen.ended !== '')
  proxy.heal()
  const third = client(proxy.port)
  third.says('c')
  await waitUntil('it works again', () => third.seen.text === 'C')
  third.socket.destroy()
})

test('a stalled connection stays open and resumes where it was', async () => {
  await using server = await shouter()
  await using proxy = await TcpProxy.open({ target: { port: server.port } })
  const { seen, says, socket } = client(proxy.port)
  says('a')
  await waitUntil('it works', () => seen.text === 'A')
  proxy.inject({ kind: 'stall' })
  says('b')
  // An answer through a working proxy proves that time has passed
  await using other = await TcpProxy.open({ target: { port: server.port } })
  const quick = client(other.port)
  quick.says('x')
  await waitUntil('the other is served', () => quick.seen.text === 'X')
  expect(server.heard).toEqual(['a', 'x'])
  expect(seen.ended).toBe('')
  proxy.heal()
  await waitUntil('what was held back arrives', () => seen.text === 'AB')
  socket.destroy()
  quick.socket.destroy()
})

test('answers can be lost after the request arrived', async () => {
  await using server = await shouter()
  await using proxy = await TcpProxy.open({ target: { port: server.port } })
  const { seen, says, socket } = client(proxy.port)
  proxy.inject({ kind: 'drop-answers' })
  says('charge')
  await waitUntil('the server has acted', () => server.heard.includes('charge'))
  proxy.heal()
  await waitUntil('the connection ends: a stream has no gaps', () => seen.ended !== '')
  expect(seen.text).toBe('')
  const again = client(proxy.port)
  again.says('again')
  await waitUntil('a new one works', () => again.seen.text === 'AGAIN')
  for (const each of [socket, again.socket]) each.destroy()
})

test('a slow connection delays chunks, and a share of zero affects no connection', async () => {
  await using server = await shouter()
  await using proxy = await TcpProxy.open({ target: { port: server.port } })
  const { seen, says, socket } = client(proxy.port)
  proxy.inject({ kind: 'slow', latencyMs: 60 })
  const start = performance.now()
  says('late')
  await waitUntil('the answer', () => seen.text === 'LATE')
  expect(performance.now() - start).toBeGreaterThanOrEqual(115) // Once per direction
  proxy.inject({ kind: 'stall' }, 0)
  proxy.heal()
  proxy.inject({ kind: 'stall' }, 0.5, () => 0.9)
  says('b')
  await waitUntil('it is not hit', () => seen.text === 'LATEB')
  socket.destroy()
})

test('an injected HTTP error does not reach the server', async () => {
  let asked = 0
  const server = createHttpServer((_request, response) => (asked++, response.end('fine')))
  await listening(server)
  await using proxy = await TcpProxy.open({ target: { port: (server.address() as AddressInfo).port } })
  proxy.inject({ kind: 'http-error', status: 500 })
  const broken = await fetch(`http://127.0.0.1:${proxy.port}/schemas`)
  expect([broken.status, await broken.text(), asked]).toEqual([500, 'injected\n', 0])
  proxy.heal()
  const healed = await fetch(`http://127.0.0.1:${proxy.port}/schemas`)
  expect([healed.status, await healed.text()]).toEqual([200, 'fine'])
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
