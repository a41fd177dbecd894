import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readTopic } from '../../../../infra/testing/read-topic.ts'
import { countTable, orders, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../../runtime/testing/test-bench.ts'
import { makePlan } from './make-plan.ts'
import type { PlanRequest } from './make-plan.ts'
import { openReplayFrame } from '../testing/replay-frame.ts'
import type { ReplayFrame } from '../testing/replay-frame.ts'
import type { Plan } from '../plan.ts'

const group = 'tester'

let bench: TestBench
let frame: ReplayFrame

beforeAll(async () => {
  bench = await openTestBench(group, countTable)
  frame = await openReplayFrame(bench, tallyConsumer(group))
  await bench.publish(orders(30))
  await taken()
})
afterAll(async () => {
  await frame[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

async function taken(): Promise<void> {
  const replica = await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  await replica.stop()
}

const plan = (request: Partial<PlanRequest> = {}) =>
  makePlan(frame.context, { mode: 'reprocess', topics: ['orders'], ...request })
const selected = ({ partitions }: Plan) => partitions.reduce((sum, range) => sum + range.selected, 0)

test('pins offsets, times and positions', async () => {
  const { partitions } = await plan()
  const { partition, end, lastTime } = partitions.reduce((a, b) => (a.end > b.end ? a : b))
  const one = await plan({
    from: { at: 'offsets', offsets: new Map([[String(partition), 1]]) },
    to: { at: 'offsets', offsets: new Map([[`orders/${partition}`, 3]]) },
  })
  expect(one.partitions).toMatchObject([{ partition, from: 1, to: 3, scanned: 2 }])
  const { kafka, namespace } = bench.sandbox
  const records = (await readTopic(kafka, `${namespace}orders`)).filter((record) => record.partition === partition)
  const first = Number(records.find(({ timestamp }) => Number(timestamp) >= lastTime!)?.offset) // Several may be of one millisecond
  const last = await plan({ from: { at: 'time', time: lastTime! }, to: { at: 'latest' } })
  expect(last.partitions).toContainEqual(expect.objectContaining({ partition, from: first, to: end }))
  const before = await plan({ to: { at: 'time', time: lastTime! } })
  expect(before.partitions).toContainEqual(expect.objectContaining({ partition, from: 0, to: first }))
})

test('the group bounds what is handled again, not what is copied', async () => {
  await bench.publish(orders(3)) // Nobody takes them
  expect(selected(await plan())).toBe(30)
  expect(selected(await plan({ from: { at: 'group' }, to: { at: 'latest' } }))).toBe(3)
  expect(selected(await plan({ mode: 'copy', toTopic: 'payments' }))).toBe(33)
  await taken()
  expect(selected(await plan())).toBe(33)
})

describe('refused in a sentence', () => {
  const offsets = (place: string, offset: number) => ({ at: 'offsets', offsets: new Map([[place, offset]]) }) as const

  test.each<[string, Partial<PlanRequest>, string | RegExp]>([
    [
      'an unknown topic',
      { mode: 'copy', toTopic: 'b', topics: ['ordres'] },
      /^there is no topic ordres: there are inventory, orders/,
    ],
    ['a topic the group does not read', { topics: ['payments'] }, 'tester does not read payments: it reads orders'],
    [
      'a partition that is not there',
      { from: offsets('7', 0) },
      'there is no partition 7: there are orders/0 to orders/2',
    ],
    ['an offset beyond the end', { from: offsets('0', 9_999) }, /^orders\/0 ends at offset \d+: there is no 9999 yet$/],
    ['an end beyond the end', { to: { at: 'offset', offset: 5_000 } }, /ends at offset \d+: there is no 5000 yet/],
    [
      'an end before the beginning',
      { from: offsets('0', 2), to: offsets('0', 1) },
      'would end at offset 1, before it begins at 2',
    ],
    ['nothing in between', { from: offsets('0', 2), to: offsets('0', 2) }, 'the range is empty'],
    [
      'times the wrong way round',
      { from: { at: 'time', time: 2 }, to: { at: 'time', time: 1 } },
      'would end before it begins',
    ],
    [
      'of which topic',
      { mode: 'copy', toTopic: 'b', topics: ['orders', 'stock'], from: offsets('0', 0) },
      'write orders/0, or name one with --topic',
    ],
    ['what the group has not read', { from: { at: 'group' } }, 'the range is empty'],
    [
      'a choice where none can be made',
      { mode: 'redeliver', selector: { keys: ['a'] } },
      'it cannot choose among them',
    ],
    ['a copy to nowhere', { mode: 'copy' }, 'copy needs a topic to write to'],
    ['another topic for what writes none', { toTopic: 'b' }, 'reprocess writes to no other topic'],
  ])('%s', async (_, request, message) => {
    await expect(plan(request)).rejects.toMatchObject({
      code: 'USAGE',
      message:
        typeof message === 'string' ? expect.stringMatching(new RegExp(message, 'i')) : expect.stringMatching(message),
    })
  })

  test('a mode that needs a group, a position of none', async () => {
    await using groupless = await openReplayFrame(bench)
    const of = (request: PlanRequest) => makePlan(groupless.context, request)
    await expect(of({ mode: 'redeliver' })).rejects.toThrow('redeliver needs a group')
    await expect(of({ mode: 'copy', toTopic: 'b' })).rejects.toThrow('which topic?')
    const request: PlanRequest = { mode: 'copy', toTopic: 'b', topics: ['orders'], to: { at: 'group' } }
    await expect(of(request)).rejects.toThrow('which group? A position of a group needs --group')
  })
})
