import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isTallyError } from '../../../../infra/errors.ts'
import { parseRangeBound } from './range-bound.ts'

const now = Date.UTC(2026, 2, 1, 18)
const parse = (text: string) => parseRangeBound(text, now)

test.each([
  ['earliest', { at: 'earliest' }],
  ['latest', { at: 'latest' }],
  ['group', { at: 'group' }],
  ['0', { at: 'offset', offset: 0 }],
  ['1200', { at: 'offset', offset: 1_200 }],
  ['offset:1700000000', { at: 'offset', offset: 1_700_000_000 }],
  ['3:1200', { at: 'offsets', offsets: new Map([['3', 1_200]]) }],
  [
    'orders/3:1200, 4:0',
    {
      at: 'offsets',
      offsets: new Map([
        ['orders/3', 1_200],
        ['4', 0],
      ]),
    },
  ],
  ['2026-03-01T17:00Z', { at: 'time', time: now - 3_600_000 }],
  ['2026-03-01T18:30:15.5+01:00', { at: 'time', time: Date.UTC(2026, 2, 1, 17, 30, 15, 500) }],
  ['1772384400123', { at: 'time', time: 1_772_384_400_123 }],
  ['-90s', { at: 'time', time: now - 90_000 }],
  ['-30m', { at: 'time', time: now - 1_800_000 }],
  ['-2h', { at: 'time', time: now - 7_200_000 }],
  ['-1d', { at: 'time', time: now - 86_400_000 }],
])('%s is understood', (text, bound) => expect(parse(text)).toEqual(bound))

describe('refused in a sentence', () => {
  test.each([
    ['-5', 'offsets begin at 0'],
    ['2026-03-01T19:00Z', 'lies in the future'],
    ['1999999999999', 'lies in the future'],
    ['1772384400', 'is in seconds: write epoch milliseconds'],
    ['2026-03-01', 'write 2026-03-01T00:00:00Z for UTC'],
    ['2026-03-01T17:00', 'write 2026-03-01T17:00Z for UTC'],
    ['2026-13-01T17:00Z', 'is no day of the calendar'],
    ['yesterday', '"yesterday" is not a valid start'],
    ['+2h', '"+2h" is not a valid start'],
    ['3:1,3:2', 'partition 3 is named twice'],
    ['3:', '"3:" is not a valid start'],
    ['', '"" is not a valid start'],
  ])('%s', (text, sentence) =>
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(sentence) }),
    ),
  )

  test('whatever else is said', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const bound = parse(text)
          return bound.at !== 'time' || bound.time <= now
        } catch (error) {
          return isTallyError(error, 'USAGE')
        }
      }),
    )
  })
})
