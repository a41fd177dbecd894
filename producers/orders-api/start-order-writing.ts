import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../infra/config.ts'
import { gather } from '../../infra/linger/gather.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import { scarcity } from '../../infra/linger/scarcity.ts'
import { Pace } from '../../infra/linger/pace.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Meter } from '../../infra/monitor/meters.ts'
import type { Tracer } from '../../infra/monitor/tracer.ts'
import { listen as listenToNotices } from '../../infra/notices/listen.ts'
import { databaseWrites } from '../../infra/postgres/database-writes.ts'
import { poolSizes } from '../../infra/postgres/pool-sizes.ts'
import { checkSessions, createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { CustomerKeys } from '../../infra/security/customer-keys/customer-keys.ts'
import type { SealingKey } from '../../infra/security/sealed-text.ts'
import type { Running } from '../../infra/service.ts'
import { readCurrent } from '../../infra/topic-generations/generation-table.ts'
import type { Generation } from '../../infra/topic-generations/generation-table.ts'
import { ensureLanes } from '../outbox/lane-generations.ts'
import { observeOutbox, PublishWatch } from '../outbox/publish-watch.ts'
import { Relay } from '../outbox/relay.ts'
import { ordersSchema } from './migrations.ts'
import { createCatalogue } from './orders/catalogue.ts'
import type { Catalogue } from './orders/catalogue.ts'
import { keepForgetting } from './orders/forget-keys.ts'
import { findKey } from './orders/idempotency.ts'
import { createOrderBook } from './orders/order-book.ts'
import type { PlaceDeps } from './orders/placing/place-order.ts'
import { RequestSpans } from './orders/request-spans.ts'
import { lazyEncoder } from './orders/schema-ids.ts'
import { reachDatabase } from './reach-database.ts'
import { Publishing } from './publishing/publishing.ts'

export interface OrderWritingOptions {
  config: Config
  /** Unique name of this replica. */
  replica: string
  log: Logger
  /** Records metrics. @default none are */
  meter?: Meter | undefined
  /** Exports spans; needs `meter`. @default none are */
  tracer?: Tracer | undefined
  /** How long another replica waits before it publishes for a dead one, ms. @default 1500 */
  leaseMs?: number | undefined
}

/** What every door of the orders needs: to store orders, and to publish their events. */
export interface OrderWriting extends Running {
  /** Of the schema of the orders API. */
  readonly pool: Pool
  /** What `createPlaceOrder` needs. */
  readonly placing: PlaceDeps & { readonly catalogue: Catalogue }
  readonly generation: Generation
  readonly checks: NonNullable<Running['checks']>
}

/** A replica that freezes in a transaction holds the rows of lanes; all others wait at most this long, ms. */
export const frozenMs = 1_000

/** Starts to store orders and to publish their events. Needs the database; Kafka may be unavailable. */
export async function startOrderWriting(options: OrderWritingOptions): Promise<OrderWriting> {
  const { config, replica, log, meter, tracer, leaseMs } = options
  const { namespace } = config
  const { url } = config.postgres
  const schema = ordersSchema(namespace)
  const pool = createPool({
    ...{ url, schema, name: replica, max: poolSizes.ordersApi, log },
    ...{ idleInTransactionMs: frozenMs, byKey: true },
  })
  await checkSessions(pool)
  const readGeneration = async () =>
    (await readCurrent(pool, namespace)) ?? { number: config.generation, partitions: config.partitions }
  const generation = await readGeneration()
  await ensureLanes(pool, generation)

  const kafka = createKafka({ servers: config.kafka, clientId: replica, log })
  const watch = meter && new PublishWatch(meter, tracer)
  const relay = new Relay({ kafka, pool, namespace, log, pace: new Pace(scarcity()), watch })
  const stopMetering = meter ? observeOutbox(meter, () => relay.waitingEvents()) : () => {}
  const notices = listenToNotices({ url, schema, pool, name: replica, log })
  const publishing = new Publishing({ pool, relay, owner: replica, leaseMs, notices, log })
  const keys = new CustomerKeys(schema)
  const findKeys = gather(async (customers: string[]) => {
    const found = await reachDatabase(() => keys.find(pool, customers))
    return customers.map((customer) => found.get(customer) as SealingKey)
  })
  const book = createOrderBook({
    ...{ pool, log, keys, generation, readGeneration },
    onCommit: (rows) => publishing.offer(rows),
  })
  const encoder = lazyEncoder(pool)
  const stopForgetting = keepForgetting(pool, log, config.retention.keysDays)

  return {
    pool,
    generation,
    placing: {
      ...{ book, encoder, catalogue: createCatalogue(pool) },
      findKey: (key) => findKey(pool, key),
      keyOf: findKeys.add,
      spans: tracer && new RequestSpans(tracer),
    },
    checks: {
      orders: async () => void (await encoder()),
      commit: () => databaseWrites(pool),
    },
    /** Nothing may be written any more. */
    async stop() {
      stopForgetting()
      stopMetering()
      await book.idle()
      await relay.flush(1_000) // Events not published by then wait for another replica or the next start
      await publishing.stop()
      await Promise.race([relay.stop(), delay(3_000, undefined, { ref: false })]) // The relay may be waiting for a broker
      await notices.stop()
      await pool.end()
    },
  }
}
