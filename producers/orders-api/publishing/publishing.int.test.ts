import { afterAll, beforeAll, expect, test } from '@jest/globals'
import supertest from 'supertest'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { offsetRanges, readTopics } from '../../../scripts/verify/read-topics.ts'
import { keepLeases, releaseLeases } from '../../outbox/lane-leases.ts'
import { createOrdersBench, newOrder, partitions } from '../testing/orders-bench.ts'
import type { OrdersBench } from '../testing/orders-bench.ts'

let bench: OrdersBench
beforeAll(async () => {
  bench = await createOrdersBench()
  await bench.sandbox.createTopics(partitions)
})
afterAll(() => bench[Symbol.asyncDispose]())

const place = async (url: string): Promise<string> =>
  ((await supertest(url).post('/orders').send(newOrder).expect(201)).body as { orderId: string }).orderId

const published = (): Promise<boolean> =>
  waitUntil('the outbox to be empty', async () => {
    const { rows } = await bench.pool.query<{ waiting: number }>('select count(*) as waiting from outbox_batch')
    return rows[0]?.waiting === 0
  })

/** Every record on the topic `orders`: key, partition and the headers that tell where it comes from, in order per partition. */
const records = () => waitUntil('the topic to be read', readOrders) // A broker just started refuses groups for a moment

async function readOrders() {
  const { kafka, namespace } = bench.sandbox
  const found: { key: string; partition: number; id: string; lane: string; sequence: number }[] = []
  await readTopics({
    kafka,
    namespace,
    ranges: await offsetRanges(kafka, [`${namespace}orders`]),
    onRecords: async (_, partition, messages) => {
      for (const { key, headers = {} } of messages) {
        const header = (name: string) => String(headers[name])
        const sequence = Number(header('ce_sequence'))
        found.push({ key: String(key), partition, id: header('ce_id'), lane: header('ce_sourcelane'), sequence })
      }
    },
  })
  return found
}

const claimed = async (owner: string, lengthMs: number) =>
  (await keepLeases(bench.pool, [], { owner, lengthMs })).claimed

const readiness = async (url: string) => (await supertest(url).get('/ready')).body

test('orders accepted while Kafka was down are published once it is up, in order, whichever replica wrote them', async () => {
  await using early = await bench.start('early', { kafkaAway: true, leaseMs: 1_000 })
  const orders = await Promise.all(Array.from({ length: 30 }, () => place(early.url)))
  const [orderId = ''] = orders
  await supertest(early.url).post(`/orders/${orderId}/cancellation`).send({ reason: 'changed my mind' }).expect(202)
  expect((await readiness(early.url)).outbox.waitingLanes).toBe(partitions)
  await early.stop()

  await using publisher = await bench.start('publisher', { leaseMs: 1_000 })
  await published()
  const found = await records()
  expect(new Set(found.map(({ key }) => key))).toEqual(new Set(orders))
  expect(found).toHaveLength(31)
  for (const { key, partition, lane } of found) {
    expect({ partition, lane }).toEqual({ partition: laneOf(key, partitions), lane: `orders-api/${partition}` })
  }
  for (let lane = 0; lane < partitions; lane++) {
    const numbers = found.filter(({ partition }) => partition === lane).map(({ sequence }) => sequence)
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  }
  expect((await readiness(publisher.url)).outbox).toEqual({ waitingLanes: 0, oldestMs: 0 })
})

test('one replica publishes for all; when it leaves, another one does', async () => {
  await using a = await bench.start('a', { leaseMs: 10_000 })
  await waitUntil('a to hold all lanes', async () => (await readiness(a.url)).leases.own.length === partitions)
  await using b = await bench.start('b', { leaseMs: 10_000 })
  expect((await readiness(b.url)).leases).toEqual({ own: [], others: [0, 1, 2], free: [] })

  const viaOther = await place(b.url)
  await published()
  expect((await records()).map(({ key }) => key)).toContain(viaOther)

  await a.stop()
  await waitUntil('b to take over', async () => (await readiness(b.url)).leases.own.length === partitions)
  const afterwards = await place(b.url)
  await published()
  const keys = (await records()).map(({ key }) => key)
  expect(keys.filter((key) => key === afterwards)).toHaveLength(1)
})

test('the lanes of a replica that died are taken over once its leases run out', async () => {
  await waitUntil('all lanes to be free', async () => (await claimed('dead', 5_000)).length)
  await using heir = await bench.start('heir', { leaseMs: 600 })
  const orderId = await place(heir.url)
  expect((await readiness(heir.url)).leases.own).toEqual([])
  await published()
  expect((await records()).map(({ key }) => key)).toContain(orderId)
  expect((await readiness(heir.url)).leases.own).toHaveLength(partitions)
})

test('a lease belongs to its holder until it runs out, and each new holder raises the epoch', async () => {
  const { pool } = bench
  const alive = { owner: 'alive', lengthMs: 60_000 }
  const dying = { owner: 'dying', lengthMs: 1 }
  const lanesOf = (leases: readonly { lane: number }[]) => leases.map(({ lane }) => lane).sort((a, b) => a - b)
  const all = (owner: string, lengthMs: number) => async () => {
    const leases = await claimed(owner, lengthMs)
    return leases.length === partitions ? leases : undefined
  }
  const first = await waitUntil('all lanes to be free', all('dying', 1))
  const second = await waitUntil('the leases to run out', all('alive', 60_000))
  const epochs = new Map(first.map(({ lane, epoch }) => [lane, epoch]))
  expect(second.map(({ lane, epoch }) => epoch - (epochs.get(lane) ?? 0))).toEqual([1, 1, 1])

  const late = await keepLeases(pool, first, dying)
  expect(late).toMatchObject({ kept: [], claimed: [] })
  expect(late.freeInMs).toBeGreaterThan(30_000)
  await releaseLeases(pool, first)
  expect(await claimed('dying', 1)).toEqual([])

  const { kept, nextSeqs } = await keepLeases(pool, second, alive)
  expect(lanesOf(kept)).toEqual([0, 1, 2])
  expect(nextSeqs.size).toBe(partitions)
  await releaseLeases(pool, second.slice(0, 1))
  const again = await keepLeases(pool, second.slice(1), alive)
  expect(lanesOf(again.kept)).toEqual(lanesOf(second.slice(1)))
  expect(lanesOf(again.claimed)).toEqual(lanesOf(second.slice(0, 1)))
})
