import { newSpanId } from '../../infra/monitor/tracer.ts'
import type { Tracer } from '../../infra/monitor/tracer.ts'
import { unpackRecords } from '../../infra/kafka/patches/produce/packed-records.ts'
import type { UnpackedRecord } from '../../infra/kafka/patches/produce/packed-records.ts'
import { readTraceparent, traceIdIn, traceIdOf } from '../../schemas/trace-context.ts'
import type { OutboxBatch } from './outbox-batch.ts'

/** Puts the publication of each event into its trace: from the decision, over its time in the outbox, to the acknowledgement. */
export class PublishSpans {
  private readonly tracer: Tracer

  constructor(tracer: Tracer) {
    this.tracer = tracer
  }

  /** @param startMs when the request began, epoch ms */
  published(batches: readonly OutboxBatch[], startMs: number, endMs: number): void {
    const kept = (record: Buffer) => {
      const traceId = traceIdIn(record) // Decoding all would cost more than the spans
      return traceId !== undefined && this.tracer.keeps(traceId) // Without a context its decision was not exported either
    }
    for (const batch of batches)
      for (const record of unpackRecords(batch, kept)) this.event(batch, record, { startMs, endMs })
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
