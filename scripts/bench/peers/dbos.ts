// Processes each order as a DBOS workflow of two steps, started by DBOS's receiver for kafkajs.
import { DBOS } from '@dbos-inc/dbos-sdk'
import { KafkaReceiver } from '@dbos-inc/kafkajs-receive'
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry'
import kafkajs from 'kafkajs'
import type { KafkaMessage } from 'kafkajs'
import pg from 'pg'
import { readParameters, startMeasuring } from '../measured.ts'
import { authorizationOf, writeOrder } from './order-effect.ts'
import type { OrderPlaced } from './order-effect.ts'

const { brokers, registryUrl, databaseUrl, schema, input, output, subject, events } = readParameters<{
  brokers: string[]
  registryUrl: string
  databaseUrl: string
  /** Schema of the tables; DBOS has its own. */
  schema: string
  input: string
  output: string
  subject: string
  events: number
}>()
const connection = { clientId: 'peer', brokers, logLevel: kafkajs.logLevel.NOTHING }
const registry = new SchemaRegistry({ host: registryUrl })
const pool = new pg.Pool({ connectionString: databaseUrl, options: `-c search_path=${schema}`, max: 12 })
const producer = new kafkajs.Kafka(connection).producer({ allowAutoTopicCreation: false })
const schemaId = await registry.getLatestSchemaId(subject)
const done = Promise.withResolvers<void>()
let handled = 0
let finish: ReturnType<typeof startMeasuring> | undefined

async function authorize(_topic: string, _partition: number, { value, headers }: KafkaMessage): Promise<void> {
  finish ??= startMeasuring()
  if (!value) return
  const event = (await registry.decode(Buffer.from(value))) as OrderPlaced
  await DBOS.runStep(() => writeOrder(pool, event), { name: 'write' })
  const message = { key: event.orderId, value: await registry.encode(schemaId, authorizationOf(event)) }
  const ce_id = String(headers?.['ce_id'])
  await DBOS.runStep(
    async () => {
      await producer.send({ topic: output, acks: -1, messages: [{ ...message, headers: { ce_id } }] })
    },
    { name: 'publish' },
  )
  if (++handled === events) done.resolve()
}

DBOS.setConfig({
  name: 'peer',
  systemDatabaseUrl: databaseUrl,
  systemDatabaseSchemaName: `${schema}_dbos`,
  logLevel: 'error',
})
const receiver = new KafkaReceiver(connection)
const workflow = DBOS.registerWorkflow(authorize, { name: 'authorize' })
receiver.registerConsumer(workflow, input, { config: { groupId: `${input}-peer` } })
await producer.connect()
await DBOS.launch()
await done.promise
finish?.(events)
await DBOS.shutdown()
await Promise.all([producer.disconnect(), pool.end()])
