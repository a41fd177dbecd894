import { consumerFolders } from '../../../consumers/runtime/load-consumer.ts'
import { createKafka } from '../../../infra/kafka/client.ts'
import { demoCatalogue } from '../../../producers/sample-data/demo-catalogue.ts'
import { freePort } from '../../../producers/orders-api/testing/orders-bench.ts'
import { Publisher } from '../../../producers/direct/publisher.ts'
import { createCodec } from '../../../schemas/codec/codec.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { eventFullNames } from '../../../schemas/generated/events.ts'
import { deployPipeline } from '../api/deploy-pipeline.ts'
import type { Ground } from '../benchmark.ts'
import { startService } from '../start-service.ts'
import { placeOrdersBefore } from './orders-before.ts'
import type { Contestant } from './run-stages.ts'

const last = new Set([eventFullNames.PaymentCaptured])
const plenty = 1_000_000

/**
 * The pipeline as `npm start` runs it, one replica of each service; an order ends with PaymentCaptured on its topic.
 * @param ordersBefore orders in its tables
 */
export async function startPipeline(
  ground: Ground,
  ended: (orderId: string) => void,
  { ordersBefore = 0 }: { ordersBefore?: number } = {},
): Promise<Contestant> {
  const { sandbox } = ground
  const { config, namespace, log } = sandbox
  await deployPipeline(sandbox)
  if (ordersBefore > 0) await placeOrdersBefore(ground, ordersBefore)
  await fillWarehouse(ground)
  const port = await freePort()
  const env = { TALLY_MONITOR_PORT: '0' } // As `npm start` does
  const api = startService(ground, 'producers/orders-api/main.ts', { env: { ...env, TALLY_API_PORT: String(port) } })
  const consumers = consumerFolders().map((name) => startService(ground, 'consumers/main.ts', { args: [name], env }))
  const services = await Promise.all([api, ...consumers])

  const kafka = createKafka({ servers: config.kafka, clientId: 'saga', log })
  const reader = kafka.consumer({ groupId: `${namespace}saga`, maxWaitTimeInMs: 100 })
  await reader.connect()
  await reader.subscribe({ topics: [`${namespace}payments`], fromBeginning: true })
  await reader.run({
    eachBatch: async ({ batch: { messages } }) => {
      for (const { key, headers } of messages) if (last.has(String(headers?.['ce_type']) as never)) ended(String(key))
    },
  })
  return {
    services,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await reader.disconnect()
      await Promise.all(services.map((service) => service[Symbol.asyncDispose]()))
    },
  }
}

/** Stocks enough of every article that no order is rejected. */
async function fillWarehouse({ sandbox }: Ground): Promise<void> {
  const { config, kafka, namespace, log } = sandbox
  const codec = await createCodec({ registryUrl: config.registry.url, namespace, log })
  const publisher = await Publisher.connect({ kafka, namespace, codec })
  await publisher.publish(
    demoCatalogue().map(({ sku }) => ({
      type: 'StockReplenished',
      id: newEventId(),
      data: { sku, quantity: plenty, replenishedAt: Date.now() },
    })),
  )
  await publisher.stop()
}
