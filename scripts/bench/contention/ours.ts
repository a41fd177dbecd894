// One replica of the inventory, the real one, until all its reservations are acknowledged.
import inventory from '../../../consumers/inventory/consumer.ts'
import { loadConfig } from '../../../infra/config.ts'
import { readOrder } from '../measured.ts'
import { runReplica } from '../run-replica.ts'

await runReplica(inventory(loadConfig()), { ...readOrder<{ events: number }>(), output: 'inventory' })
