import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { once } from 'node:events'

/** The server that `consumer.ts` calls. It survives the replicas, so the effects of calls remain. */
export interface OutsideWorld extends AsyncDisposable {
  readonly url: string
  /** Idempotency keys of each order's calls; one effect per key. */
  readonly keys: ReadonlyMap<string, ReadonlySet<string>>
}

export async function openOutsideWorld(): Promise<OutsideWorld> {
  const keys = new Map<string, Set<string>>()
  const server = createServer(async (request, response) => {
    const { orderId } = (await json(request)) as { orderId: string }
    const known = keys.get(orderId) ?? new Set()
    keys.set(orderId, known.add(String(request.headers['idempotency-key'])))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
