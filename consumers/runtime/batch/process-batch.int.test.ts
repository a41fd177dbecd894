import { describe, expect, test } from '@jest/globals'
import { readCalls } from '../tables/call-table.ts'
import type { Batch, RecordInput } from '../model.ts'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { openLedger } from '../tables/ledger.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { BatchGroups } from './batch-groups.ts'
import { FailureBreaker } from './failure-breaker.ts'
import { readRetries } from './read-retries.ts'
import { dueRows } from '../tables/retry-table.ts'
import { readRecords } from './read-records.ts'
import { processBatches } from './process-batch.ts'
import { processOrSplit } from './split-batch.ts'
import { counts } from '../testing/observe.ts'
import { countTable, orderPlaced, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { TestBench } from '../testing/test-bench.ts'
import { dueTimers } from '../tables/timer-table.ts'

const open = () => openTestBench('tester', countTable, 1)

/** Owns the only lane, and processes every batch without checking whether it should. */
async function ownLane({ pool, codec, config }: TestBench) {
  const own = { lane: 0, epoch: await raiseEpoch(pool, 0, 'replica') }
  await openLedger(pool, own, [{ topic: 'orders', low: 0 }])
  const definition = tallyConsumer('tester')
  const handle = definition.handlers.OrderPlaced!
  let mended = false
  definition.handlers = {
    OrderPlaced: (order, ...rest) => handle(mended ? { ...order, customerId: 'counts' } : order, ...rest),
  }
  const context = {
    definition,
    pool,
    codec,
    breaker: new FailureBreaker(),
    policy: config.failure,
    owner: 'replica',
    generation: 1,
  }
  return {
    own,
    context,
    process: async (batch: Batch) => (await processBatches(context, [{ own, batch }]))[0],
    /** Orders that throw are handled from now on. */
    mend: () => (mended = true),
  }
}

/** The events as the first records of the lane's topic, a second old. */
function recordsOf({ codec }: TestBench, events: readonly ReturnType<typeof orderPlaced>[]) {
  const messages = events.map(({ type, data }, offset) => ({
    key: Buffer.from(data.orderId),
    value: codec.encode(type, data),
    headers: {},
    timestamp: String(Date.now() - 1_000),
    attributes: 0,
    offset: String(offset),
  }))
  const options = { codec, handled: new Set(['OrderPlaced'] as const), partitions: 1, topic: 'orders', partition: 0 }
  return readRecords(messages, 0, messages.length, options)
}

test('a timer that is seen twice fires once', async () => {
  await using bench = await open()
  const { process } = await ownLane(bench)
  await process(await recordsOf(bench, [orderPlaced('o-1', 'waits')]))
  const inputs = (await dueTimers(bench.pool, [0], 10)).map(({ input }) => input)
  expect(await process({ source: 'timer', inputs })).toMatchObject({ taken: 1 })
  expect(await process({ source: 'timer', inputs })).toMatchObject({ taken: 0 })
  expect((await counts(bench)).get('o-1')).toMatchObject({ fired: 1 })
})

test('an answer that comes twice counts once', async () => {
  await using bench = await open()
  const { process } = await ownLane(bench)
  await process(await recordsOf(bench, [orderPlaced('o-1', 'asks')]))
  const calls = await readCalls(bench.pool, 0, [], { calls: 10, characters: 1e6 })
  const inputs = calls.map((call) => ({ ...call, source: 'answer', answer: {} }) as const)
  expect(await process({ source: 'answer', inputs })).toMatchObject({ taken: 1 })
  expect(await process({ source: 'answer', inputs })).toMatchObject({ taken: 0, publish: [] })
  expect((await counts(bench)).get('o-1')).toMatchObject({ answered: 1 })
})

describe('of two parked events of a key', () => {
  async function parkTwo(bench: TestBench) {
    const lane = await ownLane(bench)
    await lane.process(await recordsOf(bench, [orderPlaced('o-1', 'throws'), orderPlaced('o-1')]))
    await bench.pool.query(`update parked set next_attempt_at = now() where reason <> 'BEHIND'`)
    const { inputs } = await readRetries(await dueRows(bench.pool, [0]), { codec: bench.codec, partitions: 1 })
    const [head, behind] = inputs
    if (!head || !behind) throw new Error('two events should be parked')
    lane.mend()
    return { ...lane, head, behind }
  }

  test('a parked event that has changed since it was read is not handled', async () => {
    await using bench = await open()
    const { process, head, behind } = await parkTwo(bench)
    await bench.pool.query('update parked set revision = revision + 1')
    expect(await process({ source: 'parked', inputs: [head, behind] })).toMatchObject({ taken: 0, publish: [] })
    expect((await bench.pool.query('select from parked')).rowCount).toBe(2)
  })

  test('a parked event is not tried while another of its key is in front', async () => {
    await using bench = await open()
    const { process, behind } = await parkTwo(bench)
    expect(await process({ source: 'parked', inputs: [behind] })).toMatchObject({ taken: 0, publish: [] })
    expect((await counts(bench)).size).toBe(0)
  })

  test('when the head of a key has been handled, the next is due at once', async () => {
    await using bench = await open()
    const { process, head, behind } = await parkTwo(bench)
    expect(await process({ source: 'parked', inputs: [head] })).toMatchObject({ taken: 1 })
    expect((await dueRows(bench.pool, [0])).map(({ id }) => id)).toEqual([behind.parkedId])
  })
})

test('a dropped event stays dropped when a bad input splits its redelivery', async () => {
  await using bench = await open()
  const { own, context, process } = await ownLane(bench)
  const unreadable = (input: RecordInput): RecordInput => ({
    ...input,
    event: undefined,
    unreadable: { reason: 'UNREADABLE', error: 'no schema' },
    inboxId: input.placeId(),
  })
  const first = await recordsOf(bench, [orderPlaced('o-1')])
  await process({ ...first, inputs: first.inputs.map(unreadable) })
  await bench.pool.query('delete from parked') // Dropped by an operator
  await bench.pool.query('update ledger set next_offset = first_offset, parked = 0')
  // The record can be read now, and so has an id that the inbox does not have
  const readable = await recordsOf(bench, [orderPlaced('o-1'), orderPlaced('o-2', 'refused')])
  const inputs = readable.inputs.map((input) => ({ ...input, inboxId: newEventId() }))
  const batch: Batch = { ...readable, inputs, move: { ...readable.move, again: true } }
  const groups = new BatchGroups(context)
  const outcome = await processOrSplit({ own, batch }, { groups, fault: { isStubborn: () => false }, alone: true })
  expect(outcome.failure).toBeUndefined()
  expect(outcome.done.map(({ duplicates, parked }) => ({ duplicates, parked }))).toEqual([
    { duplicates: 1, parked: 0 },
    { duplicates: 0, parked: 1 },
  ])
  expect((await counts(bench)).size).toBe(0)
  expect((await bench.pool.query('select key, reason from parked')).rows).toEqual([
    { key: 'o-2', reason: 'REFUSED_BY_DATABASE' },
  ])
})
