import { spanIdOf, traceIdOf } from '../../schemas/trace-context.ts'
import type { SpanContext } from '../../schemas/trace-context.ts'
import type { Cause } from './model.ts'

/**
 * The span in which a group processes a cause. It derives from both, as the ids of events do: deciding again writes the
 * same headers, and whoever continues the trace names the span that was exported.
 */
export const processSpan = (
  group: string,
  { id, correlationId, traceparent }: Pick<Cause, 'id' | 'correlationId' | 'traceparent'>,
): SpanContext => ({ traceId: traceIdOf(traceparent, correlationId), spanId: spanIdOf('process', group, id) })

/** Fields of a log line about one input: those under which orders, events and traces are found. */
export function logFields(input: { key: string; cause: Cause } | undefined) {
  if (!input) return {}
  const { eventId, traceparent, correlationId } = input.cause
  return { orderId: input.key, eventId, traceId: traceIdOf(traceparent, correlationId) }
}
