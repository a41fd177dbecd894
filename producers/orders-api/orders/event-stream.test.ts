import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from '@jest/globals'
import { silentLogger } from '../../../infra/logger.ts'
import { createApp } from '../http/app.ts'
import type { OrderStatus } from '../http/contract.ts'
import { listen } from '../http/http-server.ts'
import { readOperations } from './read-orders.ts'

test('a client that leaves before its stream begins takes up no place', async () => {
  const [asked, left, answer] = Array.from({ length: 3 }, () => Promise.withResolvers<void>())
  const places = { caller: 0, feed: 0 }
  const operations = readOperations({
    reader: {
      async find(orderId) {
        asked?.resolve()
        await answer?.promise
        return { orderId, endedAt: null } as OrderStatus
      },
      customerOf: async () => null,
      statuses: async () => [],
      timeline: async () => new Map(),
      labelUrl: async () => undefined,
    },
    feed: { watch: () => (places.feed++, true), unwatch: () => void places.feed-- } as never,
    limits: { openStream: () => (places.caller++, () => void places.caller--) },
  })
  const app = createApp(operations, { log: silentLogger })
  await using stack = new AsyncDisposableStack()
  const server = await listen(
    (request, response) => {
      response.once('close', () => left?.resolve())
      app(request, response)
    },
    { port: 0 },
  )
  stack.defer(() => server.stop(0))
  const client = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) })
  await once(client, 'connect')
  client.write('GET /orders/o-1/events HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await asked?.promise
  client.destroy()
  await left?.promise
  answer?.resolve()
  const staying = await fetch(`${server.url}/orders/o-1/events`)
  expect(staying.status).toBe(200)
  expect(places).toEqual({ caller: 1, feed: 1 })
  await staying.body?.cancel()
})
