import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { laneOf } from '../../../schemas/partition.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'

/** Preconditions of commands in the documents, by name. */
export const situations: Readonly<Record<string, (sandbox: Sandbox) => Promise<void>>> = {
  'a parked event': parkedEvent,
}

/** Writes an order to the topic as JSON, which no consumer can read. */
async function parkedEvent({ kafka, pool, namespace, config }: Sandbox): Promise<void> {
  const key = 'o-1'
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const value = '{"orderId":"o-1"}'
  const partition = laneOf(key, config.partitions)
  await producer.send({ topic: `${namespace}orders`, messages: [{ key, value, partition }] })
  await producer.disconnect()
  for (const group of ['inventory', 'notifications', 'order-status', 'payment', 'shipping'])
    await waitUntil(`${group} has parked it`, async () => {
      const { rows } = await pool.query(`select from "${schemaName(namespace, group)}".parked where key = $1`, [key])
      return rows.length > 0
    })
}
