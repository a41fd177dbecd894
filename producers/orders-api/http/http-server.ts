import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describeError, TallyError } from '../../../infra/errors.ts'

export interface HttpServer {
  url: string
  /** Stops accepting requests, and closes connections that are still open at the deadline. */
  stop(deadlineMs: number): Promise<void>
}

export interface ListenOptions {
  /** @default 127.0.0.1 */
  host?: string
  /** 0 picks a free one. */
  port: number
  /** Open connections; further ones are closed at once. @default 1000 */
  connections?: number
}

/**
 * @throws TallyError PORT_TAKEN when the port is taken
 */
export async function listen(
  app: RequestListener,
  { host = '127.0.0.1', port, connections = 1_000 }: ListenOptions,
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
    server.listen(port, host, listening)
  })
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`,
    async stop(deadlineMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await Promise.race([closed, delay(deadlineMs, undefined, { ref: false })])
      server.closeAllConnections()
      await closed
    },
  }
}
