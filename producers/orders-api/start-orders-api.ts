import { join } from 'node:path'
import { createPool } from '../../infra/postgres/pool.ts'
import { poolSizes } from '../../infra/postgres/pool-sizes.ts'
import type { Running } from '../../infra/service.ts'
import type { ListeningSocket } from '../../infra/stack/supervisor/hand-over.ts'
import type { Site } from '../../infra/web/bundle.ts'
import { serveBundle } from '../../infra/web/serve-bundle.ts'
import { createApp } from './http/app.ts'
import { createAuthenticate } from './http/caller.ts'
import { createGuard } from './http/guard.ts'
import { SubjectLimits } from './http/subject-limits.ts'
import { healthOperations } from './http/health.ts'
import { listen } from './http/http-server.ts'
import { labelOperations } from './fulfilment/label.ts'
import { countRequests } from './orders/cancellations.ts'
import { createOrderReader } from './orders/order-reader.ts'
import { productOperations } from './orders/products.ts'
import { readOperations } from './orders/read-orders.ts'
import { createStockReader, stockOperations } from './fulfilment/stock.ts'
import { TimelineFeed } from './orders/timeline-feed.ts'
import { writeOperations } from './orders/write-orders.ts'
import { frozenMs, startOrderWriting } from './start-order-writing.ts'
import type { OrderWritingOptions } from './start-order-writing.ts'

export interface OrdersApiOptions extends OrderWritingOptions {
  /** @default the configured one; 0 picks a free one */
  port?: number
  /** Socket of the replica that this one replaces, in place of the port. */
  inherited?: ListeningSocket | undefined
  /** Interval of comments on event streams, ms. @default 15000 */
  heartbeatMs?: number
}

/** The shop: pages for customers, which talk to this API and to nothing else. */
export const shopSite: Site = {
  ...{ name: 'shop', base: '/shop/' },
  ...{ root: join(import.meta.dirname, '../shop/web'), imports: [] },
}

/** Runs one replica of the orders API. Needs the database; Kafka may be unavailable. */
export async function startOrdersApi(options: OrdersApiOptions): Promise<Running & { url: string }> {
  const { config, replica, log, meter, port = config.ports.api, inherited, heartbeatMs } = options
  const writing = await startOrderWriting(options)
  const { pool, placing, generation, checks } = writing
  const projection = createPool({
    ...{ url: config.postgres.url, schema: `${config.namespace}order_status`, name: replica, log },
    ...{ max: poolSizes.projection, idleInTransactionMs: frozenMs, byKey: true },
  })

  const reader = createOrderReader({ own: pool, projection })
  const feed = new TimelineFeed({ reader, log })
  const limits = new SubjectLimits(config.api.authentication?.rate ?? Infinity)
  const operations = [
    ...writeOperations({ ...placing, reader, countRequests: (orderId) => countRequests(pool, orderId) }),
    ...readOperations({ reader, feed, limits, heartbeatMs }),
    ...productOperations(placing.catalogue),
    ...stockOperations(createStockReader(projection, config.namespace)),
    ...labelOperations({ reader, carrierUrl: config.carrier.url }),
    ...healthOperations({ pool, owner: replica, encoder: placing.encoder }),
  ]
  const { host, connections, allowedHosts, authentication } = config.api
  const guard = authentication && createGuard(createAuthenticate(authentication), limits)
  const app = createApp(operations, { log, meter, allowedHosts, guard, shop: serveBundle(shopSite) })
  const server = await listen(app, { host, port, inherited, connections })
  log.info({ url: server.url, ...generation }, 'started')

  return {
    url: server.url,
    checks,
    async stop() {
      await Promise.all([server.stop(3_000), feed.stop()])
      await writing.stop()
      await projection.end()
    },
  }
}
