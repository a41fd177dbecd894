// One replica of a consumer, the real one, until all it was to publish is acknowledged.
import { readOrder } from '../measured.ts'
import { runReplica } from '../run-replica.ts'
import { hopConsumer } from './hop-consumer.ts'

await runReplica(hopConsumer, { ...readOrder<{ events: number }>(), output: 'payments' })
