import { expect, test } from '@jest/globals'
import { TallyError } from '../../../infra/errors.ts'
import { RepeatedFault } from './repeated-fault.ts'

test('a fault that comes back three times in one way may be an input’s', () => {
  const fault = new RepeatedFault()
  const bug = new TypeError('o-17 has no lines')
  fault.saw(bug, 'orders')
  fault.saw(bug, 'orders')
  expect(fault.isStubborn(bug, 'orders')).toBe(false)
  fault.clear('answer') // Of inputs that have nothing to do with it
  fault.saw(new TypeError('o-18 has no lines'), 'orders')
  expect(fault.isStubborn(bug, 'orders')).toBe(true)
  expect(fault.isStubborn(new TypeError('another one'), 'orders')).toBe(false)
  expect(fault.isStubborn(bug, 'answer')).toBe(false)
  fault.clear('orders')
  expect(fault.isStubborn(bug, 'orders')).toBe(false)
})

test('each source has a count of its own', () => {
  const fault = new RepeatedFault()
  const bug = new TypeError('o-17 has no lines')
  for (let times = 0; times < 3; times++) fault.saw(bug, 'orders')
  fault.saw(bug, 'answer')
  expect(fault.isStubborn(bug, 'answer')).toBe(false)
})

test('a connection that is lost repeatedly is no input’s fault', () => {
  for (const error of [new Error('Connection terminated unexpectedly'), new TallyError('UNREACHABLE', 'away')]) {
    const fault = new RepeatedFault()
    for (let times = 0; times < 10; times++) fault.saw(error)
    expect(fault.isStubborn(error, 'orders')).toBe(false)
  }
})
