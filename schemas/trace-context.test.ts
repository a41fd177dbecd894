import { expect, test } from '@jest/globals'
import { lastDigitsOf, readTraceparent, spanIdOf, traceIdOf, traceparentOf } from './trace-context.ts'

const context = { traceId: '0123456789abcdef'.repeat(2), spanId: '0123456789abcdef' }
const orderId = '019B2d6c-8f1e-7a63-9d53-0f3c2b6f1a77'

test('a header names a span, and a malformed one names none', () => {
  expect(readTraceparent(traceparentOf(context))).toEqual(context)
  for (const text of [undefined, '', '00-zz', `${traceparentOf(context)}-more`])
    expect(readTraceparent(text)).toBeUndefined()
})

test('all services put an order into one trace: that of its header, or that of its id', () => {
  expect(traceIdOf(traceparentOf(context), orderId)).toBe(context.traceId)
  expect(traceIdOf(undefined, orderId)).toBe('019b2d6c8f1e7a639d530f3c2b6f1a77')
  expect(traceIdOf('00-zz', 'order 17')).toMatch(/^[\da-f]{32}$/)
  expect(traceIdOf(undefined, 'order 17')).toBe(traceIdOf(undefined, 'order 17'))
})

test('the id of a span depends on all that identifies its work', () => {
  expect(spanIdOf('process', 'payment', 'a')).toMatch(/^[\da-f]{16}$/)
  expect(spanIdOf('process', 'payment', 'a')).toBe(spanIdOf('process', 'payment', 'a'))
  expect(spanIdOf('process', 'payment', 'a')).not.toBe(spanIdOf('process', 'paymenta', ''))
})

test.each([
  [traceparentOf({ traceId: 'a'.repeat(24) + '0123cdef', spanId: 'b'.repeat(16) }), 'order 17'],
  [undefined, '019b2d6c-8f1e-7a63-9d53-0f3c2b6f1a77'],
  [undefined, 'order 17'],
])('its last digits are found without it: %s of %s', (traceparent, correlationId) =>
  expect(lastDigitsOf(traceparent, correlationId)).toBe(traceIdOf(traceparent, correlationId).slice(-8)),
)
