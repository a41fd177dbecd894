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
  /** Takes all dead letters of a queue. */
  deadLetters(queue: string): Promise<DeadLetter[]>
  /** Messages in the queue that no bridge has. */
  waiting(queue: string): Promise<number>
}

export interface RunningBridge extends AsyncDisposable {
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/** A deployed database, a queue server, and bridges between them. */
export interface BridgeBench extends AsyncDisposable {
  readonly bench: OrdersBench
  readonly server: TestQueue
  readonly sender: Sender
  /** Creates a queue and its dead-letter queue. */
  create(queue: string): Promise<BridgeRequest>
  start(request: BridgeRequest, options?: { databaseUrl?: string }): Promise<RunningBridge>
  /** How many orders each message of a queue has become, by the recipient, which is the message's name. */
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
  const orders = async () => {
    const { rows } = await pool.query<{ name: string; orders: number }>(
      `select ship_to->>'recipient' as name, count(*)::int as orders from placed_order group by 1`,
    )
    return new Map(rows.map(({ name, orders: count }) => [name, count]))
  }
  return {
    ...{ bench, server, sender, orders },
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
    orders,
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((bridge) => bridge.stop()))
      await bench[Symbol.asyncDispose]()
    },
  }
}
