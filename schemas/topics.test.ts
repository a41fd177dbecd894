import { expect, test } from '@jest/globals'
import { carries } from './topics.ts'

test.each([
  ['payments', true],
  ['payments.g2', true],
  ['orders', false],
  ['payments2', false],
  ['other_payments', false],
])('a PaymentAuthorized on topic %s: %s', (topic, expected) => {
  expect(carries(topic, 'PaymentAuthorized')).toBe(expected)
})
