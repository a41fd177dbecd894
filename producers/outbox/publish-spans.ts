import { newSpanId } from '../../infra/monitor/tracer.ts'
import type { Tracer } from '../../infra/monitor/tracer.ts'
import { readTraceparent, traceIdOf } from '../../schemas/trace-context.ts'
import { eventsOf } from './outbox-batch.ts'
import type { OutboxBatch, OutboxEvent } from './outbox-batch.ts'

/** Puts the publication of each event into its trace: from the decision, over its time in the outbox, to the acknowledgement. */
export class PublishSpans {
  private readonly tracer: Tracer

  constructor(tracer: Tracer) {
    this.tracer = tracer
  }

  /** @param startMs when the request began, epoch ms */
  published(batches: readonly OutboxBatch[], startMs: number, endMs: number): void {
    for (const batch of batches) for (const event of eventsOf(batch)) this.event(event, startMs, endMs)
  }

  private event({ topic, lane, headers }: OutboxEvent, startMs: number, endMs: number): void {
    const { ce_correlationid: order = '', ce_id: id = '', traceparent } = headers
    const decidedMs = Date.parse(headers['ce_time'] ?? '')
    this.tracer.record({
      ...{ traceId: traceIdOf(traceparent, order), spanId: newSpanId() },
      ...{ name: `publish ${topic}`, kind: 'producer', parentSpanId: readTraceparent(traceparent)?.spanId },
      ...{ startMs: Math.min(startMs, decidedMs || startMs), endMs },
      attributes: {
        ...{ 'tally.order.id': order, 'tally.event.id': id, 'messaging.system': 'kafka' },
        ...{ 'messaging.destination.name': topic, 'messaging.destination.partition.id': String(lane) },
        'tally.outbox.ms': Math.max(0, Math.round(startMs - (decidedMs || startMs))),
      },
    })
  }
}
