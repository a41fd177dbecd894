import { setTimeout as delay } from 'node:timers/promises'
import type { Meter } from '../../infra/monitor/meters.ts'
import type { Tracer } from '../../infra/monitor/tracer.ts'
import type { Config } from '../../infra/config.ts'
import { readCurrent } from '../../infra/topic-generations/generation-table.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { databaseWrites } from '../../infra/postgres/database-writes.ts'
import { listen as listenToNotices } from '../../infra/notices/listen.ts'
import { checkSessions, createPool } from '../../infra/postgres/pool.ts'
import { poolSizes } from '../../infra/postgres/pool-sizes.ts'
import type { Running } from '../../infra/service.ts'
import { machineLoad } from '../../infra/linger/machine-load.ts'
import { Pace } from '../../infra/linger/pace.ts'
import type { Logger } from '../../infra/logger.ts'
import { observeOutbox, PublishWatch } from '../outbox/publish-watch.ts'
import { Relay } from '../outbox/relay.ts'
import { createApp } from './http/app.ts'
import { ordersSchema } from './migrations.ts'
import { createCatalogue } from './orders/catalogue.ts'
import { createAuthenticate } from './http/caller.ts'
import { createGuard } from './http/guard.ts'
import { SubjectLimits } from './http/subject-limits.ts'
import { healthOperations } from './http/health.ts'
import { listen } from './http/http-server.ts'
import { keepForgetting } from './orders/forget-keys.ts'
import { findKey } from './orders/idempotency.ts'
import { ensureLanes } from '../outbox/lane-generations.ts'
import { RequestSpans } from './orders/request-spans.ts'
import { createOrderBook } from './orders/order-book.ts'
import { createOrderReader } from './orders/order-reader.ts'
import { productOperations } from './orders/products.ts'
import { Publishing } from './publishing/publishing.ts'
import { readOperations } from './orders/read-orders.ts'
import { lazyEncoder } from './orders/schema-ids.ts'
import { TimelineFeed } from './orders/timeline-feed.ts'
import { writeOperations } from './orders/write-orders.ts'

export interface OrdersApiOptions {
  config: Config
  /** Unique name of this replica. */
  replica: string
  log: Logger
  /** Records metrics. @default none are */
  meter?: Meter
  /** Exports spans; needs `meter`. @default none are */
  tracer?: Tracer
  /** @default the configured one; 0 picks a free one */
  port?: number
  /** How long another replica waits before it publishes for a dead one, ms. @default 1500 */
  leaseMs?: number
  /** Interval of comments on event streams, ms. @default 15000 */
  heartbeatMs?: number
}

/** A replica that freezes in a transaction holds the rows of lanes; all others wait at most this long, ms. */
const frozenMs = 1_000

/** Runs one replica of the orders API. Needs the database; Kafka may be unavailable. */
export async function startOrdersApi(options: OrdersApiOptions): Promise<Running & { url: string }> {
  const { config, replica, log, meter, tracer, port = config.ports.api, leaseMs, heartbeatMs } = options
  const { namespace } = config
  const connect = (schema: string, max: number) =>
    createPool({
      url: config.postgres.url,
      schema,
      name: replica,
      max,
      idleInTransactionMs: frozenMs,
      byKey: true,
      log,
    })
  const schema = ordersSchema(namespace)
  const pool = connect(schema, poolSizes.ordersApi)
  const projection = connect(`${namespace}order_status`, poolSizes.projection)
  await checkSessions(pool)
  const readGeneration = async () =>
    (await readCurrent(pool, namespace)) ?? { number: config.generation, partitions: config.partitions }
  const generation = await readGeneration()
  await ensureLanes(pool, generation)

  const kafka = createKafka({ servers: config.kafka, clientId: replica, log })
  const watch = meter && new PublishWatch(meter, tracer)
  const relay = new Relay({ kafka, pool, namespace, log, pace: new Pace(machineLoad()), watch })
  const stopMetering = meter ? observeOutbox(meter, () => relay.waitingEvents()) : () => {}
  const { url } = config.postgres
  const notices = listenToNotices({ url, schema, pool, name: replica, log })
  const publishing = new Publishing({ pool, relay, owner: replica, leaseMs, notices, log })
  const book = createOrderBook({
    ...{ pool, log, generation, readGeneration },
    onCommit: (rows) => publishing.offer(rows),
  })

  const encoder = lazyEncoder(pool)
  const catalogue = createCatalogue(pool)
  const reader = createOrderReader({ own: pool, projection })
  const feed = new TimelineFeed({ reader, log })
  const limits = new SubjectLimits(config.api.authentication?.rate ?? Infinity)
  const operations = [
    ...writeOperations({
      book,
      catalogue,
      reader,
      findKey: (key) => findKey(pool, key),
      encoder,
      spans: tracer && new RequestSpans(tracer),
    }),
    ...readOperations({ reader, feed, limits, heartbeatMs }),
    ...productOperations(catalogue),
    ...healthOperations({ pool, owner: replica, encoder }),
  ]
  const { host, connections, allowedHosts, authentication } = config.api
  const guard = authentication && createGuard(createAuthenticate(authentication), limits)
  const app = createApp(operations, { log, meter, allowedHosts, guard })
  const server = await listen(app, { host, port, connections })
  const stopForgetting = keepForgetting(pool, log)
  log.info({ url: server.url, ...generation }, 'started')

  return {
    url: server.url,
    checks: {
      orders: async () => void (await encoder()),
      commit: () => databaseWrites(pool),
    },
    async stop() {
      stopForgetting()
      stopMetering()
      await Promise.all([server.stop(3_000), feed.stop()])
      await book.idle()
      await relay.flush(1_000) // Events not published by then wait for another replica or the next start
      await publishing.stop()
      await Promise.race([relay.stop(), delay(3_000, undefined, { ref: false })]) // The relay may be waiting for a broker
      await notices.stop()
      await Promise.all([pool.end(), projection.end()])
    },
  }
}
