import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { createSqs } from '../../../infra/sqs/client.ts'
import type { SqsAccess } from '../../../infra/sqs/client.ts'
import { queueUrl } from '../../../infra/sqs/queue-url.ts'
import { drainRabbitmq, drainSqs } from '../../../infra/testing/queues/drain.ts'
import type { Drained } from '../../../infra/testing/queues/drain.ts'
import { sourceOf } from '../../../producers/bridge/message-key.ts'
import { ordersSchema } from '../../../producers/orders-api/migrations.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { forwardedTypes, inQueue, outQueue } from './doors.ts'
import type { Mailbox } from './mailbox.ts'
import { readPublished } from './published.ts'
import { accountOf } from './queue-account.ts'
import type { QueueAccount, Taken } from './queue-account.ts'

export interface AccountOptions {
  config: Config
  pool: Pool
  withinMs: number
  signal: AbortSignal
}

/** Waits until each message is an order or a dead letter, or the time limit is reached. Takes the dead letters. */
export async function takenFrom(box: Mailbox, { config, pool, withinMs, signal }: AccountOptions): Promise<Taken> {
  const deadLetters = new Set<string>()
  for (const deadline = performance.now() + withinMs; ; await delay(500, undefined, { signal })) {
    const orders = await ordersOf(box, config, pool)
    for (const id of await readDeadLetters(box, config)) deadLetters.add(id)
    const done = [...box.orders].every((id) => orders.has(id)) && [...box.nonsense].every((id) => deadLetters.has(id))
    if (done || performance.now() > deadline) return { orders, deadLetters }
  }
}

/** Compares what was sent, and what comes out now, with the topics. Call it when the pipeline is idle. */
export async function readAccounts(
  boxes: ReadonlyMap<Mailbox, Taken>,
  { config, kafka, codec, signal }: { config: Config; kafka: Kafka; codec: Codec; signal: AbortSignal },
): Promise<Record<string, QueueAccount>> {
  if (boxes.size === 0) return {}
  const published = await readPublished({ kafka, codec, namespace: config.namespace, signal })
  const accounts: Record<string, QueueAccount> = {}
  for (const [box, taken] of boxes) {
    const types = forwardedTypes[box.server]
    const drained = await drain(box, config, outQueue[box.server])
    const wanted = (type: (typeof published)[number]['type']) => types?.includes(type) ?? true
    accounts[box.server] = accountOf(box, taken, published, { drained, wanted })
  }
  return accounts
}

/** Order ids by message id. */
async function ordersOf({ server }: Mailbox, { namespace }: Config, pool: Pool): Promise<Map<string, string>> {
  const source = sourceOf({ door: server, queue: inQueue[server] })
  const { rows } = await pool.query<{ key: string; orderId: string }>(
    `select key, reply->'body'->>'orderId' as "orderId" from "${ordersSchema(namespace)}".idempotency
     where starts_with(key, $1) and reply->'body'->>'orderId' is not null`,
    [`${source} `],
  )
  return new Map(rows.map(({ key, orderId }) => [key.slice(source.length).trim(), orderId]))
}

async function readDeadLetters(box: Mailbox, config: Config): Promise<string[]> {
  const queue = { rabbitmq: `${inQueue.rabbitmq}.dead-letter`, sqs: inQueue.sqs.replace('.fifo', '-dead-letter.fifo') }
  const letters = await drain(box, config, queue[box.server])
  return letters.map(({ attributes }) => attributes['messageId'] ?? attributes['message-id'] ?? '')
}

async function drain({ server }: Mailbox, { rabbitmq, sqs }: Config, queue: string): Promise<Drained[]> {
  if (server === 'rabbitmq') return drainRabbitmq(rabbitmq.url as string, queue)
  const client = createSqs(sqs as SqsAccess)
  try {
    return await drainSqs(client, await queueUrl(client, queue))
  } finally {
    client.destroy()
  }
}
