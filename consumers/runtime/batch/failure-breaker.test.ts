import { describe, expect, test } from '@jest/globals'
import { FailureBreaker, signatureOf } from './failure-breaker.ts'
import type { ParkedInput } from '../model.ts'

const failed = (error: string, reason: ParkedInput['reason'] = 'HANDLER_FAILED'): ParkedInput => ({
  input: {} as ParkedInput['input'],
  reason,
  error,
})
const failures = (count: number, error = 'no table') => Array.from({ length: count }, () => failed(error))

describe('a breaker that tells a poisonous event from a broken service', () => {
  test('objects once most of the recent inputs fail in one way', () => {
    const breaker = new FailureBreaker()
    for (let n = 0; n < 19; n++) {
      expect(breaker.objection(1, failures(1))).toBeUndefined()
      breaker.record(1, failures(1))
    }
    expect(breaker.objection(1, failures(1))).toBe('HANDLER_FAILED: no table')
  })

  test('accepts batches that do not add to the fault', () => {
    const breaker = new FailureBreaker()
    breaker.record(30, failures(30))
    expect(breaker.objection(10, [])).toBeUndefined()
    expect(breaker.objection(10, [failed('something else')])).toBeUndefined()
  })

  test('a large batch that fails as a whole is refused at once, one that fails in part is not', () => {
    const breaker = new FailureBreaker()
    expect(breaker.objection(1_000, failures(1_000))).toBeDefined()
    expect(breaker.objection(1_000, failures(700))).toBeUndefined()
  })

  test('faults of many kinds are the events’ own', () => {
    const breaker = new FailureBreaker()
    const many = ['boom', 'bang', 'crash'].flatMap((error) => failures(20, error))
    expect(breaker.objection(60, many)).toBeUndefined()
  })

  test('forgets: events that are handled again close it', () => {
    const breaker = new FailureBreaker()
    breaker.record(40, failures(40))
    expect(breaker.objection(1, failures(1))).toBeDefined()
    breaker.record(50, [])
    expect(breaker.objection(1, failures(1))).toBeUndefined()
  })

  test('events that only wait behind others are no failures', () => {
    const behind = Array.from({ length: 100 }, () => failed('', 'BEHIND'))
    expect(new FailureBreaker().objection(100, behind)).toBeUndefined()
  })

  test.each(['UNREADABLE', 'MISROUTED'] as const)('%s records park however many there are', (reason) => {
    const breaker = new FailureBreaker()
    const junk = Array.from({ length: 1_000 }, () => failed('no event at all', reason))
    expect(breaker.objection(1_000, junk)).toBeUndefined()
    breaker.record(1_000, junk)
    expect(breaker.objection(20, failures(20))).toBeDefined() // Nor do they hide a fault of the service
  })

  test('one fault reads the same under changing ids, numbers and names', () => {
    const one = signatureOf('key (order)=(6f9619ff-8b86-8d11-b42d-00c04fc964ff) of "o-1" fails 17 times')
    expect(signatureOf('key (order)=(7a9619ff-8b86-8d11-b42d-00c04fc964aa) of "o-2" fails 4 times')).toBe(one)
    expect(signatureOf('another fault')).not.toBe(one)
  })
})
