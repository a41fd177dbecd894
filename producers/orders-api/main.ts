import { runService } from '../../infra/service.ts'
import { startOrdersApi } from './start-orders-api.ts'

/** Runs one replica of the orders API. */
await runService('orders-api', startOrdersApi)
