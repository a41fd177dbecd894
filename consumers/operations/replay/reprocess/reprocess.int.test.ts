import { describe, expect, test } from '@jest/globals'
import type { Span } from '../../../../infra/monitor/tracer.ts'
import { readTopic } from '../../../../infra/testing/read-topic.ts'
import { toHeaders } from '../../../../schemas/envelope.ts'
import { newEventId } from '../../../../schemas/event-id.ts'
import { readTraceparent, traceparentOf } from '../../../../schemas/trace-context.ts'
import type { ConsumerDefinition } from '../../../runtime/handler.ts'
import { counts, ledgerSums, published } from '../../../runtime/testing/observe.ts'
import type { Count } from '../../../runtime/testing/tally-consumer.ts'
import { countTable, orderPlaced, orders, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../../runtime/testing/test-bench.ts'
import { reprocess } from './reprocess.ts'
import { openReplayOf, rangesOf } from '../testing/replay-of.ts'

const group = 'tester'
const open = () => openTestBench(group, countTable, 3, { TALLY_RETRY_LIMIT: '0' })

/** The test consumer with other calls to the outside, or a handler that does something else with an order. */
const changed = (
  handle: (count: Count) => Count,
  definition: ConsumerDefinition<Count> = tallyConsumer(group),
): ConsumerDefinition<Count> => ({
  ...definition,
  handlers: {
    OrderPlaced: (order, state, context, shared) => {
      const decision = definition.handlers.OrderPlaced!(order, state, context, shared)
      return { ...decision, state: handle(decision.state ?? state) }
    },
  },
})

const all = async (bench: TestBench) => rangesOf(bench, 'orders')
const placed = async (bench: TestBench) =>
  new Map([...(await counts(bench))].map(([key, count]) => [key, count.placed]))

/** Publishes orders and has them taken. */
async function take(bench: TestBench, events: ReturnType<typeof orders>): Promise<string[]> {
  await bench.replica(tallyConsumer(group))
  await bench.publish(events)
  await bench.settled(['orders'])
  return events.map(({ data }) => data.orderId)
}

describe('what reprocessing does', () => {
  test('events of a type that older code ignored, or that were skipped, are taken from then on: ledger and inbox stay in step', async () => {
    await using bench = await open()
    const older: ConsumerDefinition<Count> = {
      ...tallyConsumer(group),
      handlers: { CancellationRequested: () => ({}) },
    }
    await bench.replica(older)
    await bench.publish(orders(9))
    await bench.settled(['orders'])
    expect(await ledgerSums(bench)).toMatchObject({ taken: 0, ignored: 9 })

    const reprocessed = async () => {
      await using replay = await openReplayOf(bench, tallyConsumer(group), await all(bench))
      await reprocess.run(replay.context, replay.run)
      return replay.figures()
    }
    expect(await reprocessed()).toMatchObject({ handled: 9 })
    expect(await ledgerSums(bench)).toMatchObject({ taken: 9, ignored: 0, offsets: 9 })
    expect((await bench.pool.query('select 1 from inbox')).rowCount).toBe(9)

    await reprocessed()
    expect(await ledgerSums(bench)).toMatchObject({ taken: 9, ignored: 0, offsets: 9 })
  })

  test('a changed handler changes the rows of the chosen events alone, and what it emits, others know already', async () => {
    await using bench = await open()
    const keys = await take(bench, orders(20))
    const emitted = await published(bench, 'inventory')
    const chosen = keys.slice(4, 7)
    const mended = changed((count) => ({ ...count, placed: 100 }))
    await using replay = await openReplayOf(bench, mended, await all(bench), { plan: { selector: { keys: chosen } } })

    await reprocess.run(replay.context, replay.run)

    expect(replay.figures()).toMatchObject({ handled: 3, statesWritten: 3, emitted: 3, failed: 0, repeated: 0 })
    expect(replay.progress()).toEqual({ next: 20, scanned: 20 })
    expect(await placed(bench)).toEqual(new Map(keys.map((key) => [key, chosen.includes(key) ? 100 : 1])))
    // Their owners sent it, although their lanes were quiet
    const again = added(emitted, await published(bench, 'inventory'))
    expect(again).toHaveLength(3)
    expect(emitted).toEqual(expect.arrayContaining(again))
    expect(await ledgerSums(bench)).toMatchObject({ taken: 20, duplicates: 0, offsets: 20 })
    const left = await bench.pool.query('select 1 from outbox_batch')
    expect(left.rowCount).toBe(0)
  })

  test('killed and resumed it handles each event once; events of a correction are new to others', async () => {
    await using bench = await open()
    await take(bench, orders(12))
    const emitted = await published(bench, 'inventory')
    const options = { emit: 'corrected', rate: 1 } as const
    await using replay = await openReplayOf(bench, tallyConsumer(group), await all(bench), { options })
    await expect(reprocess.run(replay.context, failingAt(replay.run, 5))).rejects.toThrow('killed')
    await reprocess.run(replay.context, (await replay.resumed()).run)
    expect([...(await placed(bench)).values()]).toEqual(Array.from({ length: 12 }, () => 2))
    const ids = added(emitted, await published(bench, 'inventory'))
    expect(ids).toHaveLength(12)
    expect(new Set([...emitted, ...ids]).size).toBe(24)
  })

  test('each event is a span in the trace of its order, and what it emits continues from there', async () => {
    await using bench = await open()
    await bench.replica(tallyConsumer(group))
    const orderId = newEventId()
    const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
    const headers = toHeaders({
      ...{ id: newEventId(), type: 'OrderPlaced', source: '/test', time: Date.now() },
      ...{ subject: orderId, correlationId: orderId, traceparent: traceparentOf(parent) },
    })
    const { type, data } = orderPlaced(orderId)
    await bench.publishRaw('orders', { key: orderId, value: bench.codec.encode(type, data), headers })
    await bench.settled(['orders'])
    const spans: Span[] = []
    await using replay = await openReplayOf(bench, tallyConsumer(group), await all(bench))
    await reprocess.run(
      {
        ...replay.context,
        tracer: { keeps: () => true, keepsAll: () => true, record: (span) => void spans.push(span) },
      },
      replay.run,
    )
    const [span, shared] = spans
    expect(span).toMatchObject({ name: 'redeliver OrderPlaced', traceId: parent.traceId, parentSpanId: parent.spanId })
    expect(span?.links).toEqual([{ traceId: shared?.traceId, spanId: shared?.spanId }])
    expect(spans).toHaveLength(2)
    const records = await readTopic(bench.sandbox.kafka, `${bench.sandbox.namespace}inventory`)
    const contexts = records.map(({ headers: found }) => readTraceparent(String(found?.['traceparent'])))
    expect(contexts).toContainEqual({ traceId: parent.traceId, spanId: span?.spanId })
  })

  test('an event that lies in the log twice is handled once', async () => {
    await using bench = await open()
    const events = orders(3).map((order) => ({ ...order, id: newEventId() }))
    await bench.publish(events)
    await take(bench, [])
    await bench.publish(events)
    await bench.settled(['orders'])
    await using replay = await openReplayOf(bench, tallyConsumer(group), await all(bench), { options: { rate: 1 } })
    await reprocess.run(replay.context, replay.run)
    expect(replay.figures()).toMatchObject({ handled: 3, repeated: 3 })
    expect([...(await placed(bench)).values()]).toEqual([2, 2, 2])
    expect((await replay.context.pool.query('select 1 from replay_handled')).rowCount).toBe(0)
  })

  test('it runs beside live events of the same lanes and keys', async () => {
    await using bench = await open()
    const keys = await take(bench, orders(60))
    await using replay = await openReplayOf(bench, tallyConsumer(group), await all(bench), { options: { rate: 5 } })
    const live = [...orders(60), ...keys.map((key) => orderPlaced(key))]
    await Promise.all([reprocess.run(replay.context, replay.run), bench.publish(live)])
    await bench.settled(['orders'])
    const rows = await placed(bench)
    expect(keys.map((key) => rows.get(key))).toEqual(keys.map(() => 3))
    expect([...rows.values()].filter((count) => count === 1)).toHaveLength(60)
    expect(await ledgerSums(bench)).toMatchObject({ taken: 180, duplicates: 0, parked: 0 })
    const ids = await published(bench, 'inventory')
    expect([ids.length, new Set(ids).size]).toEqual([240, 180])
  })

  test('without a replica it is done all the same, and goes out when one starts', async () => {
    await using bench = await open()
    const replica = await bench.replica(tallyConsumer(group))
    await bench.publish(orders(5))
    await bench.settled(['orders'])
    await replica.stop()
    await using replay = await openReplayOf(bench, tallyConsumer(group), await all(bench))
    await reprocess.run(replay.context, replay.run)
    expect(replay.notes.at(-1)).toContain('no replica of tester runs: 5 events and 0 calls')
    await bench.replica(tallyConsumer(group))
    await bench.settled(['orders'])
    expect(await published(bench, 'inventory')).toHaveLength(10)
  })
})

describe('calls to the outside', () => {
  test('are made again with their keys, each once, if that is allowed', async () => {
    await using bench = await open()
    const asked: string[] = []
    const definition = (): ConsumerDefinition<Count> => {
      const made = tallyConsumer(group, (_request, key) => Promise.resolve({ times: asked.push(key) }))
      return { ...made, calls: { ask: { ...made.calls!['ask']!, idempotent: true } } }
    }
    await bench.replica(definition())
    await bench.publish(orders(6, 'asks'))
    await bench.settled(['orders'])
    const first = asked.splice(0)
    await using replay = await openReplayOf(bench, definition(), await all(bench), { options: { allowExternal: true } })
    expect(await reprocess.preconditions(replay.context, replay.run.plan, replay.run.options)).toEqual([])
    await reprocess.run(replay.context, replay.run)
    await bench.settled(['orders'])
    expect(asked.toSorted()).toEqual(first.toSorted())
    expect([...(await counts(bench)).values()]).toEqual(
      Array.from({ length: 6 }, () => ({ placed: 2, answered: 2, fired: 0 })),
    )
    expect(new Set(await published(bench, 'inventory')).size).toBe(12)
  })

  test('are refused if the other side would take them for new ones, or nobody has allowed them', async () => {
    await using bench = await open()
    await take(bench, orders(1))
    const preconditions = async (definition: ConsumerDefinition<Count>, allowExternal: boolean) => {
      await using replay = await openReplayOf(bench, definition, await all(bench), { options: { allowExternal } })
      const found = await reprocess.preconditions(replay.context, replay.run.plan, replay.run.options)
      await replay.context.pool.query(`update replay set state = 'done'`)
      return found
    }
    const unsafe = tallyConsumer(group)
    const safe = { ...unsafe, calls: { ask: { ...unsafe.calls!['ask']!, idempotent: true } } }
    expect(await preconditions(unsafe, true)).toEqual([
      expect.stringContaining('its call ask is not declared idempotent'),
    ])
    expect(await preconditions(safe, false)).toEqual([expect.stringContaining('--allow-external')])
    expect(await preconditions(safe, true)).toEqual([])
    expect(await preconditions({ ...unsafe, effects: 'local' }, false)).toEqual([])
  })
})

/** What came to `before`, in no order. */
function added(before: readonly string[], after: readonly string[]): string[] {
  const left = [...after]
  for (const id of before) left.splice(left.indexOf(id), 1)
  return left
}

/** A run whose process dies with the nth transaction. */
function failingAt<R extends { advance(...args: never[]): Promise<void> }>(run: R, nth: number): R {
  let count = 0
  return {
    ...run,
    advance: (...args: never[]) => (++count === nth ? Promise.reject(new Error('killed')) : run.advance(...args)),
  }
}
