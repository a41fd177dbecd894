// Runs one replica of a consumer that forwards events, until the queue has confirmed all.
import { loadConsumer } from '../../../consumers/runtime/load-consumer.ts'
import { environmentWith, loadConfig } from '../../../infra/config.ts'
import { readParameters } from '../measured.ts'
import { runReplica } from '../run-replica.ts'

const { group, events, settings } = readParameters<{
  group: string
  events: number
  settings: Record<string, string>
}>()
const definition = await loadConsumer(group, loadConfig(environmentWith(settings)))
await runReplica(definition, { events, unfinished: 'forwarding' })
