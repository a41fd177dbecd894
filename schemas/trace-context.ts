import { hash } from 'node:crypto'

/** A span as W3C Trace Context names it: 32 and 16 hexadecimal digits. */
export interface SpanContext {
  readonly traceId: string
  readonly spanId: string
}

/** The header that names a span as the parent of what follows. */
export const traceparentOf = ({ traceId, spanId }: SpanContext): string => `00-${traceId}-${spanId}-01`

/** The span that a header names; undefined if it is malformed, or there is none. */
export function readTraceparent(text: string | undefined): SpanContext | undefined {
  const [, traceId, spanId] = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}$/.exec(text ?? '') ?? []
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId }
}

/**
 * The trace of an order: that of the header; without one it derives from the order's id, so that all services put an
 * order into the same trace whether or not the first of them traces.
 */
export const traceIdOf = (traceparent: string | undefined, correlationId: string): string =>
  readTraceparent(traceparent)?.traceId ?? digitsOf(correlationId) ?? hash('sha256', correlationId).slice(0, 32)

/**
 * The last eight digits of `traceIdOf`, found without building it: shares of traces are chosen by them. Of a header that is
 * malformed any digits will do, as long as every process takes the same.
 */
export function lastDigitsOf(traceparent: string | undefined, correlationId: string): string {
  if (traceparent?.length === 55) return traceparent.slice(27, 35)
  return correlationId.length === 36 ? correlationId.slice(-8) : traceIdOf(traceparent, correlationId).slice(-8)
}

/** Without dashes; undefined for an id that is no UUID. */
const digitsOf = (id: string): string | undefined =>
  /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id) ? id.replaceAll('-', '').toLowerCase() : undefined

/** The id of a span that several processes must agree on, from what identifies its work. */
export const spanIdOf = (...parts: readonly string[]): string => hash('sha256', JSON.stringify(parts)).slice(0, 16)
