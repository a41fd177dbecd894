import { describeError } from '../../../infra/errors.ts'
import { lastMs, newSpanId } from '../../../infra/monitor/tracer.ts'
import type { Span, Tracer } from '../../../infra/monitor/tracer.ts'
import { readTraceparent, traceIdOf, traceparentOf } from '../../../schemas/trace-context.ts'

export interface TracedRequest {
  readonly name: string
  readonly orderId: string
  /** Header of the request. */
  readonly incoming: string | undefined
}

/** Begins the trace of an order, or continues that of the client. */
export class RequestSpans {
  private readonly tracer: Tracer

  constructor(tracer: Tracer) {
    this.tracer = tracer
  }

  /**
   * Records the work as a span, also if it fails.
   * @param work gets the header of the event
   * @throws the errors of the work
   */
  async during<Reply extends { status: number }>(
    { name, orderId, incoming }: TracedRequest,
    work: (traceparent: string) => Promise<Reply>,
  ): Promise<Reply> {
    const began = performance.now()
    const own = { traceId: traceIdOf(incoming, orderId), spanId: newSpanId() }
    const parentSpanId = readTraceparent(incoming)?.spanId
    const ended = (attributes: NonNullable<Span['attributes']>, error?: string) =>
      this.tracer.record({
        ...{ ...own, name, kind: 'server', parentSpanId, ...lastMs(performance.now() - began), error },
        attributes: { 'tally.order.id': orderId, ...attributes },
      })
    try {
      const reply = await work(traceparentOf(own))
      const { status } = reply
      ended({ 'http.response.status_code': status }, status >= 500 ? String(status) : undefined)
      return reply
    } catch (error) {
      ended({}, describeError(error)) // The status is decided further out
      throw error
    }
  }
}

/** Does the work in the trace of its order if spans are recorded; otherwise passes on the header of the request. */
export const inTrace = <Reply extends { status: number }>(
  spans: RequestSpans | undefined,
  request: TracedRequest,
  work: (traceparent: string | undefined) => Promise<Reply>,
): Promise<Reply> => spans?.during(request, work) ?? work(request.incoming)
