import { checkAtStart } from '../../infra/doctor/check-at-start.ts'
import { runService } from '../../infra/service.ts'
import { inheritListener } from '../../infra/stack/supervisor/hand-over.ts'
import { ordersMigrations, ordersSchema } from './migrations.ts'
import { startOrdersApi } from './start-orders-api.ts'

/** Runs one replica of the orders API. */
await runService('orders-api', async (context) => {
  const { config, log } = context
  await checkAtStart({ schema: ordersSchema(config.namespace), folders: ordersMigrations }, config, log)
  return startOrdersApi({ ...context, inherited: await inheritListener() })
})
