import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readTime } from './time.ts'

const time = Date.UTC(2026, 2, 1, 18)

test.each([
  ['2026-03-01T18:00:00Z', time],
  ['2026-03-01t18:00:00z', time],
  ['2026-03-01 18:00:00Z', time],
  ['2026-03-01T18:00Z', time],
  ['2026-03-01T20:00:00+02:00', time],
  ['2026-03-01T12:30:00-05:30', time],
  ['2026-03-01T18:00:00-00:00', time],
  ['2026-03-01T18:00:00.5Z', time + 500],
  ['2026-03-01T18:00:00.123456789Z', time + 123],
  ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  [String(time), time],
  ['946684800000', 946_684_800_000],
])('%s is read', (text, expected) => expect(readTime(text)).toEqual({ time: expected }))

test.each([
  ['2026-03-01T18:00:00', 'has no offset: write 2026-03-01T18:00:00Z for UTC'],
  ['2026-03-01 18:00', 'has no offset'],
  ['2026-03-01', 'has no time of day and no offset'],
  ['1', 'is neither RFC 3339'],
  ['2026', 'is neither RFC 3339'],
  ['1772388000', 'is in seconds: write epoch milliseconds'],
  ['11/28/2026', 'is neither'],
  ['Nov 28, 2026 UTC', 'is neither'],
  ['2026-02-30T00:00:00Z', 'is no day of the calendar'],
  ['2026-13-01T00:00:00Z', 'is no day of the calendar'],
  ['2025-02-29T00:00:00Z', 'is no day of the calendar'],
  ['2026-03-01T24:00:00Z', 'is neither'],
  ['2026-03-01T18:00:00+25:00', 'is neither'],
  ['2026-03-01T18:00:00+0200', 'is neither'],
  ['2026-03-01T18:00:00 Z', 'is neither'],
  ['+002026-03-01T18:00:00Z', 'is neither'],
  ['9999-01-01T00:00:00Z', 'is not between 1980 and 2099'],
  [' 2026-03-01T18:00:00Z', 'is neither'],
  ['', 'is neither'],
])('"%s" is refused with the reason', (text, fault) =>
  expect(readTime(text)).toEqual({ fault: expect.stringContaining(fault) }),
)

test('reads what RFC 3339 writers write, at any offset', () => {
  const offset = fc.integer({ min: -1439, max: 1439 })
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1981, 0), max: Date.UTC(2099, 0) }), offset, (ms, minutes) => {
      const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
      const two = (n: number) => String(n).padStart(2, '0')
      const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1)
      expect(readTime(`${local}${minutes < 0 ? '-' : '+'}${two(hour)}:${two(minute)}`)).toEqual({ time: ms })
    }),
  )
})
