import { expect, test } from '@jest/globals'
import { closestNames, didYouMean } from './closest-names.ts'

const names = ['epoch-check', 'epoch-claim', 'inbox', 'outbox']

test('suggests the nearest names first, whatever their case', () => {
  expect(closestNames('Epoch-chek', names)).toEqual(['epoch-check'])
  expect(closestNames('zebra', names)).toEqual([])
  expect(closestNames('utbox', names)).toEqual(['outbox', 'inbox'])
})

test('asks in words, and says nothing if no name is close', () => {
  expect(didYouMean('inbx', names)).toBe(' Did you mean inbox?')
  expect(didYouMean('utbox', names)).toBe(' Did you mean outbox or inbox?')
  expect(didYouMean('zebra', names)).toBe('')
  expect(didYouMean('aaab', ['aaaa', 'aaac', 'aaad', 'aaae'])).toBe(' Did you mean aaaa, aaac or aaad?')
})
