import { setTimeout as delay } from 'node:timers/promises'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import type { Config } from '../../infra/config.ts'
import { currentConfig } from '../../infra/topic-generations/current-config.ts'
import { createKafka } from '../../infra/kafka/client.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Article } from '../../producers/sample-data/demo-catalogue.ts'
import { Publisher } from '../../producers/direct/publisher.ts'
import { seededId } from '../../producers/sample-data/seeded.ts'
import { createCodec } from '../../schemas/codec/codec.ts'

export interface Delivery {
  config: Config
  pool: Pool
  articles: readonly Article[]
  seed: number
  log: Logger
  signal: AbortSignal
}

/** Publishes one delivery per article and waits until inventory has processed them. A repeat with the same seed adds no stock. */
export async function fillWarehouse({ config, pool, articles, seed, log, signal }: Delivery): Promise<void> {
  const { namespace } = config
  const kafka = createKafka({ servers: config.kafka, clientId: 'tally-demo', log })
  const codec = await createCodec({
    registryUrl: config.registry.url,
    namespace,
    types: ['StockReplenished'],
    log,
    signal,
  })
  const { generation } = await currentConfig(config, pool)
  const publisher = await Publisher.connect({ kafka, namespace, generation, codec, source: '/tally/demo' })
  try {
    const replenishedAt = Date.now()
    await publisher.publish(
      articles.map(({ sku, initialStock }) => ({
        type: 'StockReplenished',
        id: seededId('demo', 'StockReplenished', seed, sku),
        data: { sku, quantity: initialStock, replenishedAt },
      })),
    )
  } finally {
    await publisher.stop()
  }
  const ids = articles.map(({ sku }) => sku)
  const stock = `"${schemaName(namespace, 'inventory')}".stock`
  for (;;) {
    const { rows } = await pool.query<{ known: number }>(`select count(*) as known from ${stock} where sku = any($1)`, [
      ids,
    ])
    if (rows[0]?.known === articles.length) return
    await delay(50, undefined, { signal })
  }
}
