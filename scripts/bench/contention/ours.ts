// Runs one replica of inventory until all its reservations are acknowledged.
import inventory from '../../../consumers/inventory/consumer.ts'
import { loadConfig } from '../../../infra/config.ts'
import { readParameters } from '../measured.ts'
import { runReplica } from '../run-replica.ts'

await runReplica(inventory(loadConfig()), { ...readParameters<{ events: number }>(), output: 'inventory' })
