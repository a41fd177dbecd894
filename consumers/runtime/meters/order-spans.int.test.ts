import { expect, test } from '@jest/globals'
import { openMonitor } from '../../../infra/monitor/monitor.ts'
import type { Span } from '../../../infra/monitor/tracer.ts'
import { readTopic } from '../../../infra/testing/read-topic.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { readTraceparent, traceIdOf } from '../../../schemas/trace-context.ts'
import { countTable, orderPlaced, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

const group = 'tester'

test('an order has one trace: processing, calls, answers and publication, with links to the shared transactions', async () => {
  await using bench = await openTestBench(group, countTable)
  await using stack = new AsyncDisposableStack()
  const monitor = await openMonitor({ service: group, replica: group, host: '127.0.0.1', port: 0 })
  stack.defer(() => monitor.stop())
  const spans: Span[] = []
  const consumer = tallyConsumer(group)
  const ask = consumer.calls?.['ask']
  const asked: (string | undefined)[] = []
  const traced = {
    ...consumer,
    calls: {
      ask: {
        ...ask!,
        make: async (_: never, { traceparent }: { traceparent?: string }) => {
          asked.push(traceparent)
          return {}
        },
      },
    },
  }
  await bench.replica(traced, 'traced', {
    meter: monitor.meter,
    tracer: { keeps: () => true, keepsAll: () => true, record: (span) => void spans.push(span) },
  })
  const orderId = newEventId()
  const id = newEventId()
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
  const headers = toHeaders({
    ...{ id, type: 'OrderPlaced', source: '/test', time: Date.now(), subject: orderId, correlationId: orderId },
    traceparent: `00-${parent.traceId}-${parent.spanId}-01`,
  })
  const { type, data } = orderPlaced(orderId, 'asks')
  await bench.publishRaw('orders', { key: orderId, value: bench.codec.encode(type, data), headers })
  const untraced = newEventId()
  await bench.publish([orderPlaced(untraced)])
  await bench.settled(['orders'])
  await waitUntil(
    'three events are published',
    () => spans.filter(({ name }) => name === 'publish inventory').length === 3,
  )

  const own = spans.filter(({ traceId }) => traceId === parent.traceId)
  const named = (name: string) => own.filter((span) => span.name === name)
  const [processed] = named('process OrderPlaced')
  expect(processed).toMatchObject({ kind: 'consumer', parentSpanId: parent.spanId })
  const [called] = named('call ask')
  expect(called).toMatchObject({ kind: 'client', parentSpanId: processed?.spanId })
  expect(asked.map(readTraceparent)).toEqual([{ traceId: parent.traceId, spanId: called?.spanId }])
  const [answered] = named('process answer ask')
  expect(answered).toMatchObject({ kind: 'consumer', parentSpanId: processed?.spanId })
  expect(new Set(named('publish inventory').map(({ parentSpanId }) => parentSpanId))).toEqual(
    new Set([processed?.spanId, answered?.spanId]),
  )
  // What was published names the spans that were exported, so that the next service continues from them
  const records = await readTopic(bench.sandbox.kafka, `${bench.sandbox.namespace}inventory`)
  const carried = records.flatMap(({ headers: found = {} }) => readTraceparent(String(found['traceparent'])) ?? [])
  expect(carried).toContainEqual({ traceId: parent.traceId, spanId: processed?.spanId })
  expect(carried).toContainEqual({ traceId: parent.traceId, spanId: answered?.spanId })
  const transactions = new Set(spans.filter(({ name }) => name === `${group} transaction`).map(({ spanId }) => spanId))
  for (const { links } of [processed!, answered!]) expect(transactions.has(links?.[0]?.spanId ?? '')).toBe(true)
  // An order whose event has no context is traced under its own id
  expect(spans.find(({ attributes }) => attributes?.['tally.order.id'] === untraced)?.traceId).toBe(
    traceIdOf(undefined, untraced),
  )
})
