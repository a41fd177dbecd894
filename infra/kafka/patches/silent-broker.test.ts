import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { expect, test } from '@jest/globals'
import { waitUntil } from '../../testing/wait-until.ts'
import { patchSilentBroker } from './silent-broker.ts'

patchSilentBroker()

const require = createRequire(import.meta.url)
interface Pool {
  send(request: object): Promise<number>
  destroy(): Promise<void>
}
const ConnectionPool = require('kafkajs/src/network/connectionPool') as new (options: object) => Pool
const metadata = require('kafkajs/src/protocol/requests/metadata/v0/request') as (about: object) => object
const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} }
const socketFactory = ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }) =>
  connect({ host, port }, onConnect)
const requestTimeout = 300

/** Accepts connections; answers every request with eight bytes, unless frozen. */
async function openBroker() {
  const broker = { frozen: false, requests: 0, open: new Set<Socket>(), port: 0 }
  const server = createServer((socket) => {
    broker.open.add(socket)
    socket.on('close', () => broker.open.delete(socket))
    socket.on('error', () => {})
    socket.on('data', (request) => {
      broker.requests++
      if (broker.frozen) return
      const answer = Buffer.alloc(12)
      answer.writeInt32BE(8, 0)
      request.copy(answer, 4, 8, 12) // The correlation id
      socket.write(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  broker.port = (server.address() as AddressInfo).port
  return Object.assign(broker, {
    async [Symbol.asyncDispose]() {
      for (const socket of broker.open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  })
}

const openPool = (port: number): Pool =>
  new ConnectionPool({ host: '127.0.0.1', port, logger, requestTimeout, connectionTimeout: 1_000, socketFactory })

const ask = (pool: Pool): Promise<number> =>
  pool.send({
    request: metadata({ topics: [] }),
    response: { decode: async (answer: Buffer) => ({ answer, clientSideThrottleTime: 0 }), parse: async () => 7 },
  })

test('a connection that leaves a request unanswered is closed, and so is told to kafkajs', async () => {
  await using broker = await openBroker()
  const pool = openPool(broker.port)
  expect(await ask(pool)).toBe(7)
  broker.frozen = true
  await expect(ask(pool)).rejects.toMatchObject({
    name: 'KafkaJSConnectionClosedError',
    host: '127.0.0.1',
    port: broker.port,
  })
  await waitUntil('the connection is closed', () => broker.open.size === 0)
  await pool.destroy()
})

test('a silent broker is sent nothing but the question whether it lives, and everything once it answers', async () => {
  await using broker = await openBroker()
  broker.frozen = true
  const [first, second] = [openPool(broker.port), openPool(broker.port)]
  await expect(ask(first)).rejects.toMatchObject({ name: 'KafkaJSConnectionClosedError' })
  await expect(ask(second)).rejects.toThrow(`127.0.0.1:${broker.port} is silent`)
  expect(broker.requests).toBe(2) // The request and the question
  broker.frozen = false
  expect(await ask(second)).toBe(7)
  expect(await ask(second)).toBe(7)
  expect(broker.requests).toBe(5)
  await Promise.all([first.destroy(), second.destroy()])
})

/** A frozen process whose queue of new connections is full, so that the next one is not answered. */
async function fullServer() {
  const program = `require('node:net').createServer().listen(0, '127.0.0.1', 1, function () { console.log(this.address().port) })`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  child.kill('SIGSTOP')
  const sockets: Socket[] = []
  await waitUntil('no further connection is taken', async () => {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    const waits = new Promise<boolean>((full) =>
      socket.setTimeout(300, () => full(true)).once('connect', () => full(false)),
    )
    if (!(await waits)) return false
    socket.destroy()
    return true
  })
  return {
    port: Number(port),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

test('a connection that was given up while the broker had not taken it keeps no process alive', async () => {
  await using server = await fullServer()
  const pool = openPool(server.port)
  await expect(ask(pool)).rejects.toThrow('Connection timeout')
  await pool.destroy()
  // Its attempt to connect would go on for two minutes
  await waitUntil('nothing is connecting', () => !process.getActiveResourcesInfo().includes('ConnectWrap'), {
    withinMs: 10_000,
  })
})
