import { expect, test } from '@jest/globals'
import { createTopics } from '../../../../infra/kafka/topics.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { createSandbox } from '../../../../schemas/testing/sandbox.ts'
import { heaviestKey } from './heaviest-key.ts'
import { laneLoad } from '../testing/seen.ts'

test('the key most of the unread records of a lane have, over all its topics', async () => {
  await using sandbox = createSandbox()
  const topics = ['first', 'second']
  await withAdmin(sandbox.kafka, (admin) =>
    createTopics(
      admin,
      topics.map((topic) => ({ topic: `${sandbox.namespace}${topic}`, numPartitions: 2 })),
    ),
  )
  const producer = sandbox.kafka.producer()
  await producer.connect()
  const write = (topic: string, count: number, key: (n: number) => string) => {
    const messages = Array.from({ length: count }, (_, n) => ({ partition: 1, key: key(n), value: 'x' }))
    return producer.send({ topic: `${sandbox.namespace}${topic}`, messages })
  }
  await write('first', 50, () => 'read')
  await write('first', 60, (n) => (n % 2 === 0 ? 'heavy' : `light-${n}`))
  await write('second', 40, (n) => (n < 30 ? 'heavy' : `other-${n}`))
  await producer.disconnect()

  const find = (firstFrom: number, secondFrom: number) => {
    const places = [
      { topic: 'first', position: firstFrom, end: 110 },
      { topic: 'second', position: secondFrom, end: 40 },
    ]
    return heaviestKey(sandbox.config, laneLoad({ health: { topics: places } }, 1), AbortSignal.timeout(20_000))
  }
  expect(await find(50, 0)).toEqual({ lane: 1, key: 'heavy', share: 0.6 })
  expect(await find(0, 40)).toEqual({ lane: 1, key: 'read', share: 50 / 110 })
  expect(await find(110, 30)).toBeUndefined() // Ten records say nothing
  expect(await find(110, 40)).toBeUndefined()
})
