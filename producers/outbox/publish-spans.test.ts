import { expect, test } from '@jest/globals'
import type { Span } from '../../infra/monitor/tracer.ts'
import { traceparentOf } from '../../schemas/trace-context.ts'
import { numberEvents } from './outbox-batch.ts'
import { PublishSpans } from './publish-spans.ts'

const traceOf = (n: number) => `${'a'.repeat(24)}${String(n).padStart(8, '0')}`

test.each([3, 200])(
  'of %d published events those are decoded whose trace is kept, and those without a trace',
  (count) => {
    const events = Array.from({ length: count }, (_, n) => ({
      ...{ eventId: `e-${n}`, topic: 'payments', key: `o-${n}` },
      value: Buffer.from('a text with traceparent: in it, 00-not-a-trace'),
      headers: {
        ...{ ce_id: `e-${n}`, ce_correlationid: `o-${n}`, ce_time: '2026-11-29T10:00:00.000Z' },
        ...(n > 0 && { traceparent: traceparentOf({ traceId: traceOf(n), spanId: 'b'.repeat(16) }) }),
        'content-type': 'application/avro',
      },
    }))
    const batches = numberEvents(events, { writer: 'payment', lane: 4, firstSeq: 7, generation: 1 })
    const spans: Span[] = []
    const asked: string[] = []
    const keeps = (traceId: string) => (asked.push(traceId), traceId === traceOf(2))
    new PublishSpans({ keeps, record: (span) => void spans.push(span) }).published(batches, 1_000, 1_050)
    expect(asked).toEqual(Array.from({ length: count }, (_, n) => (n === 0 ? [] : [traceOf(n)])).flat())
    expect(spans.map(({ attributes }) => attributes?.['tally.event.id'])).toEqual(['e-0', 'e-2'])
    expect(spans[1]).toMatchObject({
      ...{ traceId: traceOf(2), parentSpanId: 'b'.repeat(16), name: 'publish payments', startMs: 1_000, endMs: 1_050 },
      attributes: { 'tally.order.id': 'o-2', 'messaging.destination.partition.id': '4' },
    })
  },
)
