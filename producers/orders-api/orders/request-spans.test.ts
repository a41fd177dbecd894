import { expect, test } from '@jest/globals'
import type { Span } from '../../../infra/monitor/tracer.ts'
import { traceparentOf } from '../../../schemas/trace-context.ts'
import { RequestSpans } from './request-spans.ts'

const client = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
const request = { name: 'POST /orders', orderId: 'o-1', incoming: traceparentOf(client) }

function open() {
  const recorded: Span[] = []
  return {
    recorded,
    spans: new RequestSpans({ keeps: () => true, keepsAll: () => true, record: (span) => void recorded.push(span) }),
  }
}

test('a request continues the trace of its client, and its event that of the request', async () => {
  const { recorded, spans } = open()
  let header: string | undefined
  const reply = await spans.during(request, async (traceparent) => {
    header = traceparent
    return { status: 201 }
  })
  expect(reply).toEqual({ status: 201 })
  const [span, ...more] = recorded
  expect(more).toEqual([])
  expect(span).toMatchObject({
    ...{ name: 'POST /orders', kind: 'server', traceId: client.traceId, parentSpanId: client.spanId },
    attributes: { 'tally.order.id': 'o-1', 'http.response.status_code': 201 },
  })
  expect(span?.error).toBeUndefined()
  expect(header).toBe(traceparentOf(span!))
})

test('a request that fails is in the trace, too, and fails all the same', async () => {
  const { recorded, spans } = open()
  await spans.during(request, async () => ({ status: 500 }))
  const failing = spans.during(request, () => Promise.reject(new Error('the database does not answer')))
  await expect(failing).rejects.toThrow('the database does not answer')
  expect(recorded.map(({ traceId, error }) => ({ traceId, error }))).toEqual([
    { traceId: client.traceId, error: '500' },
    { traceId: client.traceId, error: expect.stringContaining('the database does not answer') },
  ])
})
