import { newSpanId } from '../../infra/monitor/tracer.ts'
import type { Tracer } from '../../infra/monitor/tracer.ts'
import { unpackRecords } from '../../infra/kafka/patches/produce/packed-records.ts'
import type { UnpackedRecord } from '../../infra/kafka/patches/produce/packed-records.ts'
import { readTraceparent, traceIdOf } from '../../schemas/trace-context.ts'
import type { OutboxBatch } from './outbox-batch.ts'

/**
 * Puts the publication of each event into its trace: from the decision, over its time in the outbox, to the acknowledgement.
 * While only a share of the traces is exported, none: batches are compressed, and unpacking them costs more than the spans.
 */
export class PublishSpans {
  private readonly tracer: Tracer

  constructor(tracer: Tracer) {
    this.tracer = tracer
  }

  /** @param startMs when the request began, epoch ms */
  published(batches: readonly OutboxBatch[], startMs: number, endMs: number): void {
    if (!this.tracer.keepsAll()) return
    for (const batch of batches)
      for (const record of unpackRecords(batch)) this.event(batch, record, { startMs, endMs })
  }

  private event(
    { topic, lane }: OutboxBatch,
    { headers }: UnpackedRecord,
    { startMs, endMs }: { startMs: number; endMs: number },
  ): void {
    const text = (name: string) => headers[name]?.toString()
    const [order = '', id = '', traceparent] = [text('ce_correlationid'), text('ce_id'), text('traceparent')]
    const decidedMs = Date.parse(text('ce_time') ?? '')
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
