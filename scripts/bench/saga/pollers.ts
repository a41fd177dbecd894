import { join } from 'node:path'
import { freePort } from '../../../producers/orders-api/testing/orders-bench.ts'
import type { Ground } from '../benchmark.ts'
import { startService } from '../start-service.ts'
import { preparePeerOrders, watchPeerOrders } from './peer-orders.ts'
import type { Contestant } from './run-stages.ts'

const stages = ['api', 'authorize', 'reserve', 'ship', 'capture']

/** The pollers: a table of orders with a status, and one process for the API and for each step. */
export async function startPollers(ground: Ground, ended: (orderId: string, at?: number) => void): Promise<Contestant> {
  const { config, namespace } = ground.sandbox
  const schema = `${namespace}pollers`
  await preparePeerOrders(ground.sandbox, schema)
  const port = await freePort()
  const order = { databaseUrl: config.postgres.url, gateway: config.gateway.url, carrier: config.carrier.url }
  const program = join(import.meta.dirname, '../peers/pollers.ts')
  const services = await Promise.all(
    stages.map((stage) => {
      const args = [JSON.stringify({ ...order, schema, port, stage })]
      return startService(ground, program, { args, name: stage })
    }),
  )
  const watch = watchPeerOrders(ground.sandbox, schema, ended)
  return {
    services,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await watch[Symbol.asyncDispose]()
      await Promise.all(services.map((service) => service[Symbol.asyncDispose]()))
    },
  }
}
