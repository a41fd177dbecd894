import { newSpanId } from '../../../infra/monitor/tracer.ts'
import type { Tracer } from '../../../infra/monitor/tracer.ts'
import { readTraceparent, traceIdOf, traceparentOf } from '../../../schemas/trace-context.ts'

/** Begins the trace of an order, or continues that of the client. */
export class RequestSpans {
  private readonly tracer: Tracer

  constructor(tracer: Tracer) {
    this.tracer = tracer
  }

  /**
   * @param incoming header of the request
   * @returns header of the event, and what to call with the answer's status
   */
  begin(name: string, orderId: string, incoming: string | undefined) {
    const startMs = performance.timeOrigin + performance.now()
    const own = { traceId: traceIdOf(incoming, orderId), spanId: newSpanId() }
    return {
      traceparent: traceparentOf(own),
      end: (status: number): void =>
        this.tracer.record({
          ...{ ...own, name, kind: 'server', parentSpanId: readTraceparent(incoming)?.spanId },
          ...{ startMs, endMs: performance.timeOrigin + performance.now() },
          attributes: { 'tally.order.id': orderId, 'http.response.status_code': status },
          error: status >= 500 ? String(status) : undefined,
        }),
    }
  }
}
