import { newSpanId, newTraceId } from '../../../infra/monitor/tracer.ts'
import type { Span, Tracer } from '../../../infra/monitor/tracer.ts'
import { lastDigitsOf, readTraceparent, traceIdOf, traceparentOf } from '../../../schemas/trace-context.ts'
import type { SpanContext } from '../../../schemas/trace-context.ts'
import type { Processed } from '../batch/process-batch.ts'
import type { CallOutcome } from '../lane/call-watch.ts'
import type { Cause, Input, NewCall } from '../model.ts'
import { processSpan } from '../process-span.ts'

/** When work began and ended, epoch ms. */
export interface Period {
  readonly startMs: number
  readonly endMs: number
}

/** Puts what a replica does with the events of an order into the trace of that order. */
export class OrderSpans {
  private readonly tracer: Tracer
  private readonly group: string

  constructor(tracer: Tracer, group: string) {
    this.tracer = tracer
    this.group = group
  }

  /** A transaction is a span of its own; the span of each of its inputs links to it. */
  processed(all: readonly Processed[], period: Period): void {
    const shared: SpanContext = { traceId: newTraceId(), spanId: newSpanId() }
    let inputs = 0
    for (const { fresh, refused, batch } of all) {
      inputs += fresh.length
      const reasons = new Map(refused.map(({ input, reason }) => [input, reason]))
      for (const input of fresh) this.input(input, reasons.get(input), { batch: batch.source, shared, period })
    }
    if (inputs === 0) return
    const name = `${this.group} transaction`
    this.tracer.record({
      ...{ ...shared, name, kind: 'internal', ...period, shared: true },
      attributes: { 'tally.inputs': inputs },
    })
  }

  /** @returns header of the call, and what to call when it has ended */
  call({ id, kind, cause, key }: NewCall): { traceparent: string; ended(outcome: CallOutcome, period: Period): void } {
    const own = { traceId: traceIdOf(cause.traceparent, cause.correlationId), spanId: newSpanId() }
    return {
      traceparent: traceparentOf(own),
      ended: (outcome, period) =>
        this.tracer.record({
          ...{ ...own, name: `call ${kind}`, kind: 'client', ...parentOf(cause), ...period },
          attributes: { 'tally.order.id': key, 'tally.call.id': id, 'tally.outcome': outcome },
          error: outcome === 'answered' ? undefined : outcome,
        }),
    }
  }

  private input(
    input: Input,
    refused: string | undefined,
    { batch, shared, period }: { batch: string; shared: SpanContext; period: Period },
  ): void {
    const { cause, key } = input
    if (!this.tracer.keeps(lastDigitsOf(cause.traceparent, cause.correlationId))) return
    const own = processSpan(this.group, cause)
    this.tracer.record({
      // Only the attempt that took effect continues the trace: what it emits names its span
      ...{ ...own, spanId: refused === undefined ? own.spanId : newSpanId() },
      ...{ name: `process ${nameOf(input)}`, kind: 'consumer', links: [shared], ...parentOf(cause), ...period },
      attributes: {
        ...{ 'tally.order.id': key, 'tally.event.id': cause.eventId, 'tally.source': batch },
        'tally.outcome': refused === undefined ? 'taken' : 'parked',
        ...placeOf(input),
      },
      error: refused,
    })
  }
}

const nameOf = (input: Input): string =>
  input.source === 'record' ? (input.event?.type ?? 'unreadable record') : `${input.source} ${input.kind}`

const parentOf = ({ traceparent }: Cause): Pick<Span, 'parentSpanId'> => ({
  parentSpanId: readTraceparent(traceparent)?.spanId,
})

const placeOf = (input: Input): Record<string, string | number> =>
  input.source === 'record'
    ? {
        'messaging.system': 'kafka',
        'messaging.destination.name': input.topic,
        'messaging.destination.partition.id': String(input.partition),
        'messaging.kafka.offset': input.offset,
      }
    : {}
