import { hostname } from 'node:os'
import { loadConfig } from '../../infra/config.ts'
import { runService } from '../../infra/service.ts'
import { createLogger } from '../../infra/telemetry.ts'
import { startOrdersApi } from './start-orders-api.ts'

/** Runs one replica of the orders API. */
const config = loadConfig()
const log = createLogger('orders-api', config.logLevel)
const replica = `orders-api@${hostname()}:${process.pid}`

await runService(log, () => startOrdersApi({ config, replica, log }))
