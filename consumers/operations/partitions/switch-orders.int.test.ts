import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CustomerKeys } from '../../../infra/security/customer-keys/customer-keys.ts'
import { ordersSchema } from '../../../producers/orders-api/migrations.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { ensureLanes } from '../../../producers/outbox/lane-generations.ts'
import { createOrderBook } from '../../../producers/orders-api/orders/order-book.ts'
import { createOrdersBench } from '../../../producers/orders-api/testing/orders-bench.ts'
import type { OrdersBench } from '../../../producers/orders-api/testing/orders-bench.ts'
import { removePublished } from '../../../producers/outbox/outbox-table.ts'
import { readEvents } from '../../../producers/outbox/testing/stored-events.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { readOutboxLanes } from '../../../producers/outbox/outbox-backlog.ts'
import { ordersWriter } from '../groups.ts'
import { compareLane } from '../../../scripts/verify/publications.ts'
import { switchOrders } from './switch-orders.ts'

const from = { number: 1, partitions: 3 }
const to = { number: 2, partitions: 5 }
const keys = Array.from({ length: 20 }, () => newEventId())

describe('the orders API moving to the next generation of the topics', () => {
  let bench: OrdersBench
  beforeAll(async () => {
    bench = await createOrdersBench()
    await ensureLanes(bench.pool, from)
  })
  afterAll(() => bench[Symbol.asyncDispose]())

  const rows = () => readEvents(bench.pool)

  test('what waits goes to the lane of its key, in order; a process that knows only the old lanes harms nothing', async () => {
    const { pool, sandbox } = bench
    let generation = from
    const readGeneration = async () => generation
    const log = sandbox.log.child({}, { level: 'silent' })
    const book = createOrderBook({
      ...{ pool, log, keys: new CustomerKeys(ordersSchema(sandbox.namespace)), generation, readGeneration },
      onCommit: () => {},
    })
    const written = new Map<string, string[]>(keys.map((key) => [key, []]))
    const write = async (key: string) => {
      const eventId = newEventId()
      written.get(key)?.push(eventId)
      const event = { eventId, topic: 'orders', key, headers: { ce_id: eventId }, value: Buffer.from('x') }
      await book.write({ event, reply: { status: 202, body: {} } })
    }
    for (let round = 0; round < 3; round++) for (const key of keys) await write(key)
    const published = (await rows()).filter(({ seq }) => seq <= 2)
    const lanes = [...new Set(published.map(({ lane }) => lane))]
    await removePublished(pool, new Map(lanes.map((lane) => [lane, { first: 1, last: 2 }])))
    const old = await rows()

    expect(await inTransaction(pool, (tx) => switchOrders(tx, to))).toBe(old.length)
    generation = to
    for (const key of keys) await write(key)

    const moved = await rows()
    expect(moved).toHaveLength(old.length + keys.length)
    for (const { lane, seq, topic, key, headers } of moved) {
      expect(lane).toBe(laneOf(key, to.partitions))
      expect(topic).toBe('orders.g2')
      expect(headers).toMatchObject({ ce_sourcelane: `orders-api/${lane}`, ce_sequence: String(seq) })
    }
    const gone = new Set(published.map(({ eventId }) => eventId))
    for (const [key, ids] of written)
      expect(moved.filter((row) => row.key === key).map(({ eventId }) => eventId)).toEqual(
        ids.filter((id) => !gone.has(id)),
      )

    // A frozen relay wakes up and deletes what it had published
    await removePublished(pool, new Map(old.map(({ lane, seq }) => [lane, { first: 1, last: seq }])))
    expect(await rows()).toEqual(moved)

    for (const [lane, own] of await readOutboxLanes(pool, ordersWriter(sandbox.config).schema)) {
      const eventIds = new Map(published.filter((row) => row.lane === lane).map((row) => [row.seq, row.eventId]))
      expect(compareLane(`orders-api/${lane}`, own, { eventIds, repeats: 0, faults: [] })).toEqual([])
      const { withdrawn, ...others } = own
      if (withdrawn?.length) expect(compareLane('', others, { eventIds, repeats: 0, faults: [] })).not.toEqual([])
    }
  })
})
