import { CustomerKeys } from '../../../infra/security/customer-keys/customer-keys.ts'
import { ordersSchema } from '../../orders-api/migrations.ts'
import { createOrdersBench, newOrder } from '../../orders-api/testing/orders-bench.ts'
import type { OrdersBench } from '../../orders-api/testing/orders-bench.ts'
import type { TestQueue } from '../../../infra/testing/queues/start-queues.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import type { BridgeRequest } from '../door.ts'
import { ensureQueues, startBridge } from '../start-bridge.ts'

export interface SentMessage {
  id?: string
  body: Buffer | string
  contentType?: string
  /** Of a FIFO queue. */
  group?: string
  /** When the sender says it was sent, UTC epoch seconds. */
  sentAt?: number
}

export interface DeadLetter {
  id: string | undefined
  body: string
  problem: { status: number; detail: string; errors?: { path: string }[] }
}

/** A client of a queue server, as a shop has it. */
export interface Sender extends AsyncDisposable {
  send(queue: string, messages: readonly SentMessage[]): Promise<void>
  /** Takes its first message as often and gives it back, as bridges do that are killed. */
  deliver(queue: string, times: number): Promise<void>
  /** Takes all dead letters of a queue. */
  deadLetters(queue: string): Promise<DeadLetter[]>
  /** Messages in the queue that no bridge has. */
  waiting(queue: string): Promise<number>
}

export interface RunningBridge extends AsyncDisposable {
  readonly ended: Promise<void>
  stop(): Promise<void>
}

export interface StoredOrder {
  /** The recipient, which is the message's name. */
  readonly name: string
  readonly customer: string
  /** Seconds since it was placed. */
  readonly age: number
}

/** A deployed database, a queue server, and bridges between them. */
export interface BridgeBench extends AsyncDisposable {
  readonly bench: OrdersBench
  readonly server: TestQueue
  readonly sender: Sender
  /** Creates a queue and its dead-letter queue. */
  create(queue: string): Promise<BridgeRequest>
  start(request: BridgeRequest, options?: { databaseUrl?: string }): Promise<RunningBridge>
  /** All orders, in the order in which they were placed. */
  stored(): Promise<StoredOrder[]>
  /** How many orders each message of a queue has become, by the message's name. */
  orders(): Promise<Map<string, number>>
  /** Waits until so many orders are stored. */
  ordered(count: number): Promise<void>
}

/** An order whose recipient is the name of its message. */
export const orderFor = (name: string, customerId = 'c-1') => ({
  ...newOrder,
  customerId,
  shipTo: { ...newOrder.shipTo, recipient: name },
})

export const messageFor = (name: string, more: Partial<SentMessage> & { customer?: string } = {}): SentMessage => {
  const { customer, ...rest } = more
  return { id: name, body: JSON.stringify(orderFor(name, customer)), ...rest }
}

export async function createBridgeBench(
  door: BridgeRequest['door'],
  server: TestQueue,
  sender: Sender,
): Promise<BridgeBench> {
  const bench = await createOrdersBench()
  const { sandbox, pool } = bench
  const { rabbitmq, sqs } = server.config
  // Orders are stored without Kafka: their events wait in the outbox
  const config = { ...sandbox.config, rabbitmq, sqs, kafka: { ...sandbox.config.kafka, brokers: ['127.0.0.1:1'] } }
  const running = new Set<RunningBridge>()
  const keys = new CustomerKeys(ordersSchema(sandbox.namespace))
  const stored = async () => {
    const { rows } = await pool.query<StoredOrder>(
      `select ship_to->>'recipient' as name, customer_id as customer, abs(extract(epoch from now() - placed_at))::float8 as age
       from placed_order order by order_id`,
    )
    const opened: StoredOrder[] = []
    for (const row of rows) opened.push({ ...row, name: (await keys.open(pool, [row.name]))?.texts[0] ?? row.name })
    return opened
  }
  const orders = async () => {
    const found = new Map<string, number>()
    for (const { name } of await stored()) found.set(name, (found.get(name) ?? 0) + 1)
    return found
  }
  return {
    ...{ bench, server, sender, stored, orders },
    async create(queue) {
      const request = { door, queue, prefetch: 50 }
      await ensureQueues(config, request, true)
      return request
    },
    async start(request, { databaseUrl = config.postgres.url } = {}) {
      const own = { ...config, postgres: { ...config.postgres, url: databaseUrl } }
      const replica = `bridge-${running.size}`
      const bridge = await startBridge({ config: own, request, replica, log: sandbox.log })
      let stopping: Promise<void> | undefined
      const stop = () => (stopping ??= bridge.stop())
      const handle = { ended: bridge.ended, stop, [Symbol.asyncDispose]: stop }
      running.add(handle)
      return handle
    },
    async ordered(count) {
      await waitUntil(`${count} orders`, async () => [...(await orders()).values()].reduce((a, b) => a + b, 0) >= count)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((bridge) => bridge.stop()))
      await bench[Symbol.asyncDispose]()
    },
  }
}
