import { expect, test } from '@jest/globals'
import { parseReplicaCounts } from './replica-counts.ts'

const parse = (...texts: string[]) => parseReplicaCounts(texts, ['inventory', 'payment'])

test('reads how many replicas of which consumers are wanted', () => {
  expect(parse('payment=4', 'inventory=2')).toEqual({ payment: 4, inventory: 2 })
  expect(parse('payment=32')).toEqual({ payment: 32 })
})

test.each([
  ['pyament=2', 'No consumer "pyament": there are inventory, payment'],
  ['payment', '"payment" is not a number of replicas: write it like payment=4'],
  ['payment=', '"payment=" is not a number of replicas: write it like payment=4'],
  ['payment=two', '"payment=two" is not a number of replicas: write it like payment=4'],
  ['__proto__=2', 'No consumer "__proto__": there are inventory, payment'],
  ['payment=0', /must keep one replica.*--remove payment/],
  ['payment=-1', 'payment can have 1 to 32 replicas, not -1'],
  ['payment=1.5', 'payment can have 1 to 32 replicas, not 1.5'],
  ['payment=33', 'payment can have 1 to 32 replicas, not 33'],
  ['payment=99999999999999999999', /can have 1 to 32/],
])('refuses %s', (text, sentence) => {
  expect(() => parse(text)).toThrow(sentence)
})

test('refuses two numbers for one consumer', () => {
  expect(() => parse('payment=2', 'payment=3')).toThrow('payment is named twice')
})
