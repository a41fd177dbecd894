import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { connectCodec } from '../../../../consumers/operations/connect-codec.ts'
import { topicConfig } from '../../../../consumers/operations/partitions/generation-topics.ts'
import { schemaName } from '../../../../consumers/runtime/load-consumer.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { currentConfig } from '../../../../infra/topic-generations/current-config.ts'
import { eventGenerator } from '../../../../producers/sample-data/event-generator.ts'
import { ApiClient } from '../../../../producers/direct/api-client.ts'
import type { OrderPlaced } from '../../../../schemas/generated/events.ts'
import { laneOf } from '../../../../schemas/partition.ts'
import { inGeneration, keyOf, topics } from '../../../../schemas/topics.ts'
import { succeeded } from '../../../testing/test-stack.ts'
import type { Output, TestStack } from '../../../testing/test-stack.ts'

const { ConfigResourceTypes } = kafkajs
export const consumers = ['inventory', 'notifications', 'order-status', 'payment', 'shipping']
const orderOf = eventGenerator('OrderPlaced', 7)
const patience = { withinMs: 120_000 }

/** A record of the orders topic as commands name it. */
export interface SentRecord {
  /** `orders.g2`, without namespace. */
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** `orders.g2/1:12` */
  readonly name: string
}

/** A running stack with what the acts of a test need. Each order is another one. */
export function openActStack(stack: TestStack) {
  const { sandbox, config } = stack
  const { signal } = new AbortController()
  let orders = 0
  const next = () => orderOf(orders++)
  const query = async <Row extends object>(text: string, values: unknown[] = []) =>
    (await sandbox.pool.query<Row>(text, values)).rows
  const at = (group: string, table: string) => `"${schemaName(sandbox.namespace, group)}".${table}`
  const run = async (...args: [string, ...string[]]) => succeeded(await stack.run(...args))
  /** The topic and its number of partitions now: acts change both. */
  const ordersTopic = async () => {
    const { generation, partitions } = await currentConfig(config, sandbox.pool)
    const topic = inGeneration('orders', generation)
    return { topic, onBroker: `${sandbox.namespace}${topic}`, partitions }
  }
  /** Sends a record as another program would. */
  async function send(key: string, value: Buffer, timestamp?: number): Promise<SentRecord> {
    const { topic, onBroker, partitions } = await ordersTopic()
    const partition = laneOf(key, partitions)
    const producer = sandbox.kafka.producer()
    await producer.connect()
    const messages = [{ key, value, partition, ...(timestamp !== undefined && { timestamp: String(timestamp) }) }]
    const [sent] = await producer.send({ topic: onBroker, messages })
    await producer.disconnect()
    const offset = Number(sent?.baseOffset)
    return { topic, partition, offset, name: `${topic}/${partition}:${offset}` }
  }
  const whenParked = (key: string, groups: readonly string[] = consumers) =>
    waitUntil(
      `${groups.join(', ')} have parked ${key}`,
      async () => {
        for (const group of groups)
          if ((await query(`select 1 from ${at(group, 'parked')} where key = $1`, [key])).length === 0) return false
        return true
      },
      patience,
    )
  /** @param partition of its record; any if undefined */
  async function place(partition?: number): Promise<string> {
    const { partitions } = await ordersTopic()
    let event = next()
    while (partition !== undefined && laneOf(keyOf(event.data), partitions) !== partition) event = next()
    const { id, type, data } = event
    const file = join(config.dataDir, 'order.ndjson')
    await writeFile(file, `${JSON.stringify({ id, type, data })}\n`)
    await run('produce', '--file', file)
    return (data as { orderId: string }).orderId
  }
  const ended = (orderId: string) =>
    waitUntil(
      `${orderId} has ended`,
      async () =>
        (
          await query(
            `select 1 from ${at('order-status', 'order_status')} where order_id = $1 and ended_at is not null`,
            [orderId],
          )
        ).length > 0,
      patience,
    )
  /** Plans and runs a replay. */
  async function replayed(
    act: string,
    mode: string,
    args: readonly string[],
    options: readonly string[] = [],
  ): Promise<Output> {
    const plan = join(config.dataDir, 'plan.json')
    await run('replay', 'plan', '--mode', mode, ...args, '--out', plan, '--force')
    return stack.run('replay', 'run', plan, '--why', whyOf(act), '--yes', '--json', ...options)
  }

  return {
    stack,
    query,
    at,
    run,
    next,
    send,
    ordersTopic,
    whenParked,
    replayed,
    api: new ApiClient({ url: `http://127.0.0.1:${config.ports.api}`, signal }),
    encoded: async (data: unknown) =>
      Buffer.from((await connectCodec(config, signal)).encode('OrderPlaced', data as OrderPlaced)),
    /** Sends a record that nobody can read. */
    async spoil() {
      const { data } = next()
      const { orderId } = data as { orderId: string }
      const record = await send(orderId, Buffer.from('not Avro'))
      await whenParked(orderId)
      return { record: record.name, orderId, json: JSON.stringify(data) }
    },
    place,
    ended,
    edit: (act: string, record: string, json: string, ...more: string[]) =>
      run('parked', 'edit', record, '--type', 'OrderPlaced', '--value', json, '--why', whyOf(act), '--yes', ...more),
    drop: (act: string, key: string, ...more: string[]) =>
      run('parked', 'drop', '--key', key, '--why', whyOf(act), '--yes', ...more),
    /** Whether the broker takes the time of a record from its producer; then it keeps records of any age. */
    foreignTimes: async (taken: boolean) => {
      const { onBroker } = await ordersTopic()
      const foreign = [
        { name: 'message.timestamp.type', value: 'CreateTime' },
        { name: 'retention.ms', value: '-1' },
      ]
      const configEntries = taken ? foreign : topicConfig(topics[0], config, 1).configEntries
      await withAdmin(sandbox.kafka, (admin) =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [{ type: ConfigResourceTypes.TOPIC, name: onBroker, configEntries: configEntries ?? [] }],
        }),
      )
    },
    /** Waits until a group stands behind a record. */
    passed: (group: string, { topic, partition, offset }: SentRecord) =>
      waitUntil(
        `${group} has passed ${topic}/${partition}:${offset}`,
        async () => {
          const [row] = await query<{ next: number }>(
            `select max(next_offset) as next from ${at(group, 'ledger')} where topic = $1 and partition = $2`,
            [topic, partition],
          )
          return (row?.next ?? 0) > offset
        },
        patience,
      ),
    /** Deletes the records of a partition up to its end, as retention does. */
    deleteRecords: async ({ topic, partition, offset }: SentRecord) =>
      withAdmin(sandbox.kafka, async (admin) => {
        const onBroker = `${sandbox.namespace}${topic}`
        await admin.fetchTopicOffsets(onBroker) // kafkajs deletes in topics it has heard of only
        await admin.deleteTopicRecords({ topic: onBroker, partitions: [{ partition, offset: String(offset + 1) }] })
      }),
  }
}

export type ActStack = ReturnType<typeof openActStack>

/** Why each act is done; `verify` must name it where it is not green. */
export const whyOf = (act: string) => `pairs: ${act}`
