import { expect, test } from '@jest/globals'
import type { Span } from '../../infra/monitor/tracer.ts'
import { traceparentOf } from '../../schemas/trace-context.ts'
import { numberEvents } from './outbox-batch.ts'
import { PublishSpans } from './publish-spans.ts'

const traceId = `${'a'.repeat(31)}1`

/** @returns the spans of the publication of three events, of which the first has no trace context */
function published(keepsAll: boolean): Span[] {
  const events = Array.from({ length: 3 }, (_, n) => ({
    ...{ eventId: `e-${n}`, topic: 'payments', key: `o-${n}` },
    value: Buffer.from('a text'),
    headers: {
      ...{ ce_id: `e-${n}`, ce_correlationid: `o-${n}`, ce_time: '2026-11-29T10:00:00.000Z' },
      ...(n > 0 && { traceparent: traceparentOf({ traceId, spanId: 'b'.repeat(16) }) }),
      'content-type': 'application/avro',
    },
  }))
  const batches = numberEvents(events, { writer: 'payment', lane: 4, firstSeq: 7, generation: 1 })
  const spans: Span[] = []
  const tracer = { keeps: () => true, keepsAll: () => keepsAll, record: (span: Span) => void spans.push(span) }
  new PublishSpans(tracer).published(batches, 1_000, 1_050)
  return spans
}

test('the publication of each event is a span of its trace', () => {
  const spans = published(true)
  expect(spans.map(({ attributes }) => attributes?.['tally.event.id'])).toEqual(['e-0', 'e-1', 'e-2'])
  expect(spans[1]).toMatchObject({
    ...{ traceId, parentSpanId: 'b'.repeat(16), name: 'publish payments', startMs: 1_000, endMs: 1_050 },
    attributes: { 'tally.order.id': 'o-1', 'messaging.destination.partition.id': '4' },
  })
})

test('while only a share of the traces is exported, nothing is unpacked for a span', () =>
  expect(published(false)).toEqual([]))
