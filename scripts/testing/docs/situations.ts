import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { laneOf } from '../../../schemas/partition.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'

/** What a document takes for granted before some of its commands, by the name it gives it. */
export const situations: Readonly<Record<string, (sandbox: Sandbox) => Promise<void>>> = {
  'a parked event': parkedEvent,
}

/** An order that was written to the topic as JSON: no consumer can read it. */
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
