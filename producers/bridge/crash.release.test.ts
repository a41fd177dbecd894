import { describe, expect, test } from '@jest/globals'
import { seededRandom } from '../sample-data/seeded.ts'
import type { SqsAccess } from '../../infra/sqs/client.ts'
import { canTest, startQueue } from '../../infra/testing/queues/start-queues.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createBridgeBench, messageFor } from './testing/bridge-bench.ts'
import { spawnBridge } from './testing/bridge-process.ts'
import { rabbitmqSender } from './testing/rabbitmq-sender.ts'
import { sqsSender } from './testing/sqs-sender.ts'

const messages = 1_500
const kills = 8

describe.each([
  ['rabbitmq', 22_500],
  ['sqs', 22_600],
] as const)('a bridge at %s that is killed again and again under load', (door, port) => {
  const run = canTest(door) ? test : test.skip
  run(
    'loses no message and doubles none',
    async () => {
      await using server = await startQueue(door, port)
      const { rabbitmq, sqs } = server.config
      await using sender =
        door === 'rabbitmq' ? await rabbitmqSender(rabbitmq.url as string) : sqsSender(sqs as SqsAccess)
      await using bench = await createBridgeBench(door, server, sender)
      await bench.create('crash')
      const { env } = bench.bench.sandbox
      const random = seededRandom('crash', door)
      const names = Array.from({ length: messages }, (_, index) => `crash-${index}`)
      const stored = async () => (await bench.orders()).size
      const start = () => spawnBridge({ door, queue: 'crash', prefetch: 50 }, { ...env, ...server.env })
      let bridge = start()
      try {
        for (let killed = 0; killed < kills; killed++) {
          const from = Math.floor((killed * messages) / kills)
          const to = Math.floor(((killed + 1) * messages) / kills)
          const before = await stored()
          await sender.send(
            'crash',
            names.slice(from, to).map((name) => messageFor(name)),
          )
          // Anywhere in its work: after a number of orders that differs each time
          const more = random.int(1, Math.floor((to - from) * 0.8))
          await waitUntil(`${more} more orders`, async () => (await stored()) >= Math.min(before + more, messages), {
            withinMs: 300_000,
            everyMs: 2,
          })
          await bridge.kill()
          bridge = start()
        }
        await waitUntil('all orders', async () => (await stored()) >= messages, { withinMs: 300_000 })
        await waitUntil('an empty queue', async () => (await sender.waiting('crash')) === 0, { withinMs: 300_000 })
      } finally {
        await bridge.kill()
      }
      expect(await bench.orders()).toEqual(new Map(names.map((name) => [name, 1])))
      expect(await sender.deadLetters('crash')).toEqual([])
      const { rows } = await bench.bench.pool.query(
        `select (select count(*)::int from placed_order) as orders, (select count(*)::int from idempotency) as keys`,
      )
      expect(rows).toEqual([{ orders: messages, keys: messages }])
    },
    900_000,
  )
})
