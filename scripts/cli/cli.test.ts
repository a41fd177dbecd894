import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { bytes, count, duration, firstOf } from './figures.ts'
import { printReport, reportLines } from './report.ts'
import { tableLines } from './table.ts'
import { wrap, wrapCommand } from './terminal.ts'

test.each([
  [0, '0 s'],
  [430, '430 ms'],
  [3_140, '3.1 s'],
  [9_960, '10 s'],
  [61_000, '1 min 1 s'],
  [120_000, '2 min'],
  [725_000, '12 min'],
  [7_500_000, '2 h 5 min'],
])('%i ms are %s', (ms, text) => expect(duration(ms)).toBe(text))

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_234, '1.2 kB'],
  [999_600, '1.0 MB'],
  [120_400_000, '120 MB'],
])('%i bytes are %s', (value, text) => expect(bytes(value)).toBe(text))

test('counts have separators and the right noun', () =>
  expect([count(1234567), count(1, 'event'), count(2n, 'lane')]).toEqual(['1,234,567', '1 event', '2 lanes']))

test('a long list tells how much of it is missing', () =>
  expect(firstOf(['a', 'b', 'c'], 2)).toEqual(['a', 'b', '… and 1 more']))

const rows = [
  ['payment/17', 1234, '3.1 s', 'lines[0].quantity is "two", which is not a whole number of at least 1'],
  ['inventory/1', 5, '12 min', ''],
]
const head = ['event', 'tried', 'waits', 'error']

test('a table sets figures flush right and wraps texts', () =>
  expect(tableLines({ head, rows }, 60)).toEqual([
    'event        tried   waits  error',
    '-----------  -----  ------  --------------------------------',
    'payment/17   1,234   3.1 s  lines[0].quantity is "two",',
    '                            which is not a whole number of',
    '                            at least 1',
    'inventory/1      5  12 min',
  ]))

test('a column without room moves below its row; a long table says how much is missing', () =>
  expect(tableLines({ head, rows: [...rows, ...rows], limit: 1 }, 40)).toEqual([
    'event       tried  waits',
    '----------  -----  -----',
    'payment/17  1,234  3.1 s',
    '  error: lines[0].quantity is "two",',
    '    which is not a whole number of at',
    '    least 1',
    '… and 3 more',
  ]))

test('a report leads with its verdict and ends with the next command', () =>
  expect(
    reportLines({ verdict: '2 events are parked', parts: [{ head, rows: [] }, '', 'A note'], next: 'npm run x' }, 80),
  ).toEqual(['2 events are parked', '', 'A note', '', 'Next: npm run x']))

test('commands are continued outside of quotes only, so that a shell reads the same', () =>
  expect(wrapCommand(`npm run replay -- run plan.json --why "the discount was wrong" --yes`, 40)).toEqual([
    'npm run replay -- run plan.json \\',
    '  --why "the discount was wrong" --yes',
  ]))

test('no line exceeds the width, whatever is printed, and nothing is lost', () =>
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.stringMatching(/^[a-z ]{0,90}$/), { minLength: 4, maxLength: 4 }), { maxLength: 5 }),
      fc.integer({ min: 40, max: 130 }),
      (texts, width) => {
        const lines = tableLines({ head: ['1', '2', '3', '4'], rows: texts }, width)
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width)
        const letters = (text: string) => text.replaceAll(/[^a-z]/g, '').length
        expect(letters(lines.join(''))).toBe(letters(texts.flat().join('')))
      },
    ),
  ))

test('an indented line keeps its indent', () => expect(wrap('  one two three', 9)).toEqual(['  one two', '    three']))

test('nothing that is printed controls the terminal', () => {
  const written: string[] = []
  const { write } = process.stdout
  process.stdout.write = (text: string | Uint8Array) => written.push(String(text)) > 0
  try {
    printReport({ verdict: 'of key \u001b[2Jk\u202e', parts: [{ head: ['key'], rows: [['\u009b1mx\r']] }] }, 80)
  } finally {
    process.stdout.write = write
  }
  expect(written.join('')).toBe('of key k·\n\nkey\n-----\nx\n')
})
