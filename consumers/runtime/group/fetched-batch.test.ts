import { expect, test } from '@jest/globals'
import type { Batch } from 'kafkajs'
import { TallyError } from '../../../infra/errors.ts'
import { markUnreadable } from '../../../infra/kafka/patches/fetch/unreadable-batch.ts'
import { createTestLogger } from '../../../infra/testing/test-logger.ts'
import { Turns } from '../turns.ts'
import { FetchedBatches } from './fetched-batch.ts'
import type { RecordLane } from './fetched-batch.ts'
import type { TopicOffsets } from './topic-offsets.ts'

const error = new TallyError('UNREACHABLE', 'its checksum is wrong')
const batch = { topic: 'ns_orders', partition: 3, messages: [markUnreadable({ error, from: 100, to: 164 })] }
const progress = { wanted: () => true, reached: async () => {} }

/** Has a live lane at a position meet the batch twice; what it says of it, and why it halted. */
async function meetTwice(position: number, passedTo = position, lost?: string) {
  const offsets = {
    beyondPassed: () => passedTo,
    explainGap: async () => lost,
  } as Partial<TopicOffsets> as TopicOffsets
  const options = { offsets, group: 'payment', namespace: 'ns_', log: createTestLogger('silent') }
  const batches = new FetchedBatches(options)
  const halted: string[] = []
  const lane = {
    ...{
      number: 3,
      phase: 'live',
      position: () => position,
      end: () => Number.POSITIVE_INFINITY,
      halt: (reason: string) => void halted.push(reason),
    },
    turns: new Turns(),
  } as Partial<RecordLane> as RecordLane
  const meet = () => batches.process(lane, batch as unknown as Batch, progress)
  return { first: await meet(), second: await meet(), halted }
}

test('a batch that cannot be read is fetched again, then stops the lane with the command that passes it', async () => {
  const why = 'orders/3@110: its checksum is wrong'
  const pass = 'npm run lanes -- skip payment/3 --offsets orders/3:110-163 --why "damaged"'
  expect(await meetTwice(110)).toEqual({ first: 'gap', second: undefined, halted: [`${why}; to pass it: ${pass}`] })
})

test('it is met behind records that the client passed over: the command passes these, too', async () => {
  const pass = 'npm run lanes -- skip payment/3 --offsets orders/3:95-163 --why "damaged"'
  const { halted } = await meetTwice(95, 100)
  expect(halted).toEqual([`orders/3@95: its checksum is wrong; to pass it: ${pass}`])
})

test('it does not hide that the records before it are gone', async () => {
  const { halted } = await meetTwice(90, 90, 'records 90 to 99 were deleted')
  expect(halted[0]).toBe('records 90 to 99 were deleted')
})

test.each([99, 164])('it is fetched again if the lane stands elsewhere: at %i', async (position) => {
  expect(await meetTwice(position)).toEqual({ first: 'gap', second: 'gap', halted: [] })
})

test('a gap that cannot be passed fails its lane and is no error of the client', async () => {
  const offsets = {
    beyondPassed: () => 120,
    settled: async () => {},
    topicId: () => 'id',
  } as Partial<TopicOffsets> as TopicOffsets
  const options = { offsets, group: 'payment', namespace: 'ns_', log: createTestLogger('silent') }
  const failed: unknown[] = []
  const lane = {
    ...{ number: 3, phase: 'live', accepting: true, position: () => 100, end: () => Number.POSITIVE_INFINITY },
    process: () => Promise.reject(error),
    fail: (cause: unknown) => void failed.push(cause),
    turns: new Turns(),
  } as Partial<RecordLane> as RecordLane
  await expect(new FetchedBatches(options).passGap(lane, 'orders')).resolves.toBeUndefined()
  expect(failed).toEqual([error])
})
