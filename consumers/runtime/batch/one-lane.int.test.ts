import { expect, test } from '@jest/globals'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import type { AnswerInput, Batch } from '../model.ts'
import { readCalls } from '../tables/call-table.ts'
import { openLedger } from '../tables/ledger.ts'
import { counts } from '../testing/observe.ts'
import { countTable, orderPlaced, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import { FailureBreaker } from './failure-breaker.ts'
import { processBatches } from './process-batch.ts'
import { readRecords } from './read-records.ts'

/** A lane that has processed an order which made a call, the answer to it, and what processes batches of it together. */
async function laneWithAnswer() {
  const bench = await openTestBench('tester', countTable, 1)
  const { pool, codec, config } = bench
  const own = { lane: 0, epoch: await raiseEpoch(pool, 0, 'replica') }
  await openLedger(pool, own, [{ topic: 'orders', low: 0 }])
  const definition = tallyConsumer('tester')
  const ask = definition.calls?.ask
  if (!ask) throw new Error('the consumer makes no call')
  const handle: typeof ask.handle = (...args) => ({ ...ask.handle(...args), withdraw: ['remind'] })
  const context = {
    ...{ definition: { ...definition, calls: { ask: { ...ask, handle } } }, pool, codec, policy: config.failure },
    ...{ breaker: new FailureBreaker(), owner: 'replica', generation: 1 },
  }
  const together = (...batches: Batch[]) =>
    processBatches(
      context,
      batches.map((batch) => ({ own, batch })),
    )
  let offset = 0
  const record = ({ type, data }: ReturnType<typeof orderPlaced>) => {
    const place = { offset: String(offset), timestamp: String(Date.now()), attributes: 0, headers: {} }
    const message = { ...place, key: Buffer.from(data.orderId), value: codec.encode(type, data) }
    const handled = new Set(['OrderPlaced'] as const)
    return readRecords([message], offset, ++offset, { codec, handled, partitions: 1, topic: 'orders', partition: 0 })
  }
  await together(await record(orderPlaced('o-1', 'asks')))
  const calls = await readCalls(pool, 0, [], { calls: 10, characters: 1e6 })
  const answers = {
    source: 'answer',
    inputs: calls.map((call): AnswerInput => ({ ...call, source: 'answer', answer: {} })),
  } as const
  return { bench, context, together, record, answers, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() }
}

test('of two batches of a lane in one transaction, the second sees the first one’s state and continues its numbers', async () => {
  await using lane = await laneWithAnswer()
  const applied = await lane.together(await lane.record(orderPlaced('o-1')), lane.answers)
  expect(applied.map(({ taken }) => taken)).toEqual([1, 1])
  expect((await counts(lane.bench)).get('o-1')).toEqual({ placed: 2, answered: 1, fired: 0 })
  const numbers = applied.flatMap(({ publish }) => publish.map(({ first, last }) => [first, last]))
  expect(numbers).toEqual([
    [2, 2],
    [3, 3],
  ])
  const { rows } = await lane.bench.pool.query('select next_seq from lane')
  expect(rows).toEqual([{ next_seq: 4 }])
})

test('a batch of a former ownership is not let in by one of the new', async () => {
  await using lane = await laneWithAnswer()
  const epoch = await raiseEpoch(lane.bench.pool, 0, 'replica')
  await expect(
    processBatches(lane.context, [
      { own: { lane: 0, epoch: epoch - 1 }, batch: lane.answers },
      { own: { lane: 0, epoch }, batch: { source: 'timer', inputs: [] } },
    ]),
  ).rejects.toMatchObject({ code: 'FENCED' })
})

test('what the first parks, the second queues behind', async () => {
  await using lane = await laneWithAnswer()
  const applied = await lane.together(await lane.record(orderPlaced('o-1', 'throws')), lane.answers)
  expect(applied.map(({ parked }) => parked)).toEqual([1, 1])
  const { rows } = await lane.bench.pool.query('select source, reason from parked order by id')
  expect(rows).toEqual([
    { source: 'record', reason: 'HANDLER_FAILED' },
    { source: 'answer', reason: 'BEHIND' },
  ])
  expect((await counts(lane.bench)).get('o-1')).toMatchObject({ placed: 1, answered: 0 })
})

test('a timer that the first adds and the second withdraws is never stored', async () => {
  await using lane = await laneWithAnswer()
  await lane.together(await lane.record(orderPlaced('o-1', 'waits')), lane.answers)
  const { rows } = await lane.bench.pool.query('select kind from timer')
  expect(rows).toEqual([])
})
