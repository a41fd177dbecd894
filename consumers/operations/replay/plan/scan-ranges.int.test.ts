import { expect, test } from '@jest/globals'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { toHeaders } from '../../../../schemas/envelope.ts'
import { newEventId } from '../../../../schemas/event-id.ts'
import { laneOf } from '../../../../schemas/partition.ts'
import { weekMs } from '../../../runtime/tables/inbox/weeks.ts'
import { countTable, orders, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import { makePlan } from './make-plan.ts'
import type { PlanRequest } from './make-plan.ts'
import { openReplayFrame } from '../testing/replay-frame.ts'

const group = 'tester'

test('what retention has deleted is counted and named; what the inbox lacks is told apart by its age', async () => {
  await using own = await openTestBench(group, countTable, 1)
  await using ownFrame = await openReplayFrame(own, tallyConsumer(group))
  const { kafka, namespace } = own.sandbox
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const old = Date.now() - 10 * weekMs
  const messages = orders(10).map(({ data }, index) => {
    const { orderId: key } = data
    const about = { id: newEventId(), type: 'OrderPlaced', source: '/test', time: Date.now() } as const
    const headers = toHeaders({ ...about, subject: key, correlationId: key })
    const timestamp = String(index < 6 ? old + index : Date.now())
    return { key, value: own.codec.encode('OrderPlaced', data), headers, timestamp, partition: laneOf(key, 1) }
  })
  await producer.send({ topic: `${namespace}orders`, messages })
  await producer.disconnect()
  await own.replica(tallyConsumer(group))
  await own.settled(['orders'])
  const made = (request: Partial<PlanRequest> = {}) => makePlan(ownFrame.context, { mode: 'redeliver', ...request })
  expect((await made()).partitions).toMatchObject([{ handled: 10, known: 10, forgotten: 0, firstTime: old }])

  // The inbox lacks two old ones and a new one: the latter was never taken
  const ids = [messages[1]!, messages[5]!, messages[9]!].map(({ headers }) => headers['ce_id'])
  await own.pool.query('delete from inbox where event_id = any($1::uuid[])', [ids])
  expect((await made()).partitions).toMatchObject([{ handled: 10, known: 7, forgotten: 2 }])

  await withAdmin(kafka, async (admin) => {
    await admin.fetchTopicOffsets(`${namespace}orders`) // kafkajs deletes in topics it has heard of only
    await admin.deleteTopicRecords({ topic: `${namespace}orders`, partitions: [{ partition: 0, offset: '4' }] })
  })
  const lost = { low: 4, from: 4, to: 10, scanned: 6, handled: 6, known: 4, forgotten: 1 }
  expect((await made()).partitions).toMatchObject([{ ...lost, lost: 0 }])
  expect((await made({ from: { at: 'offset', offset: 1 } })).partitions).toMatchObject([{ ...lost, lost: 3 }])
  await expect(made({ from: { at: 'offset', offset: 0 }, to: { at: 'offset', offset: 3 } })).rejects.toThrow(
    'retention has deleted all of it: 3 offsets',
  )
})
