// Runs one replica of the hop's consumer until all its events are acknowledged.
import { readParameters } from '../measured.ts'
import { runReplica } from '../run-replica.ts'
import { hopConsumer } from './hop-consumer.ts'

await runReplica(hopConsumer, { ...readParameters<{ events: number; monitored: boolean }>(), output: 'payments' })
