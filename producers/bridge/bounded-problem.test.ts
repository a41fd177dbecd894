import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { problem } from '../orders-api/http/reply.ts'
import { boundedProblem, maxProblemBytes } from './bounded-problem.ts'

test('a problem that fits is told whole', () => {
  const errors = [{ path: '/lines/0/sku', message: 'is not in the catalogue' }]
  expect(JSON.parse(boundedProblem(problem(422, 'The order cannot be accepted.', { errors })))).toEqual({
    type: 'about:blank',
    title: 'Unprocessable Entity',
    status: 422,
    detail: 'The order cannot be accepted.',
    errors,
  })
})

test('whatever it tells, it is JSON in visible ASCII of a bounded size, and keeps status and detail', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 1_500 })
  fc.assert(
    fc.property(
      anyText,
      fc.array(fc.record({ path: anyText, message: anyText }), { maxLength: 8 }),
      (detail, errors) => {
        const text = boundedProblem(problem(400, detail, { errors }))
        expect(text.length).toBeLessThanOrEqual(maxProblemBytes)
        expect(text).toMatch(/^[\x20-\x7e]+$/)
        const read = JSON.parse(text) as { status: number; detail: string; errors?: object[] }
        expect(read.status).toBe(400)
        expect(read.detail.startsWith(detail.slice(0, 300))).toBe(true)
      },
    ),
    { numRuns: 25 },
  )
})
