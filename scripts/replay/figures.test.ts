import { expect, test } from '@jest/globals'
import { figuresSentence } from './figures.ts'
import { moment, runOptionsOf } from './run-options.ts'

test.each([
  ['redeliver', { taken: 0, duplicates: 5210 }, '5,210 events redelivered, nothing changed: 5,210 duplicates'],
  ['redeliver', { taken: 1, duplicates: 1, ignored: 2 }, '4 events redelivered: 1 duplicate, 2 ignored, 1 took effect'],
  ['redeliver', { duplicates: 2, parked: 1 }, '3 events redelivered: 2 duplicates, 1 PARKED, 0 took effect'],
  ['copy', { copied: 1 }, '1 event copied to aside'],
  ['reprocess', { handled: 1200, statesWritten: 3, failed: 0 }, '1,200 handled, 3 states written'],
  ['reprocess', {}, 'nothing was done'],
  ['rebuild', { folded: 1, repeated: 20, dropped: 0 }, '1 event folded, 20 repeated; nothing is swapped'],
  [
    'rebuild',
    { folded: 60, lockedMs: 11, swapped: 1 },
    '60 events folded; the new tables are in place, its lanes waited 11 ms for that',
  ],
  ['rebuild', { folded: 60, swapped: 1, undone: 1 }, '60 events folded; the former tables are back'],
] as const)('figures of %s: %o', (mode, figures, sentence) =>
  expect(figuresSentence({ mode, toTopic: 'aside' }, figures)).toBe(sentence),
)

test('a moment is told in one way only', () => {
  expect(moment('+30m', undefined, 1_000)).toBe(1_801_000)
  expect(moment('1772388000000')).toBe(1_772_388_000_000)
  expect(moment('2026-03-01T19:00+01:00')).toBe(Date.UTC(2026, 2, 1, 18))
  for (const text of ['2026-03-01T19:00', '19:00', '1772388000', '2026-13-01T19:00Z', '+5', ''])
    expect(() => moment(text)).toThrow('A time is like')
})

test('what was not asked for stays as it was', () => expect(runOptionsOf({ rate: 5 })).toEqual({ rate: 5 }))
