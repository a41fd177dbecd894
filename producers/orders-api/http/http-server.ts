import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describeError, TallyError } from '../../../infra/errors.ts'
import { offerListener } from '../../../infra/stack/supervisor/hand-over.ts'
import type { ListeningSocket } from '../../../infra/stack/supervisor/hand-over.ts'

/** How long a connection may stay unused while the server drains, ms. */
const idleMs = 1_000

export interface HttpServer {
  url: string
  /**
   * Stops accepting connections, then waits until clients have left those that are open: each answer from now on is the last
   * of its connection. Closes idle ones after a second, and all others at the deadline.
   */
  stop(deadlineMs: number): Promise<void>
}

export interface ListenOptions {
  /** @default 127.0.0.1 */
  host?: string
  /** 0 picks a free one. */
  port: number
  /** Socket of a predecessor, in place of host and port. */
  inherited?: ListeningSocket | undefined
  /** Open connections; further ones are closed at once. @default 1000 */
  connections?: number
}

/**
 * @throws TallyError PORT_TAKEN when the port is taken
 */
export async function listen(
  app: RequestListener,
  { host = '127.0.0.1', port, inherited, connections = 1_000 }: ListenOptions,
): Promise<HttpServer> {
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 1_000 },
    app,
  )
  server.maxConnections = connections
  await new Promise<void>((listening, failed) => {
    server.once('error', (error) =>
      failed(new TallyError('PORT_TAKEN', `Port ${port} cannot be used: ${describeError(error)}`, { cause: error })),
    )
    if (inherited) server.listen(inherited, listening)
    else server.listen(port, host, listening)
  })
  offerListener(server)
  let draining = false
  server.prependListener('request', (_request, response) => {
    if (draining) response.setHeader('connection', 'close')
  })
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    async stop(deadlineMs) {
      draining = true
      // The method of an HTTP server would also end idle connections, on which a request may just arrive
      const closed = new Promise<void>((resolve) => void Server.prototype.close.call(server, () => resolve()))
      await Promise.race([closed, delay(Math.min(idleMs, deadlineMs), undefined, { ref: false })])
      server.closeIdleConnections()
      await Promise.race([closed, delay(Math.max(0, deadlineMs - idleMs), undefined, { ref: false })])
      server.closeAllConnections()
      await closed
    },
  }
}
