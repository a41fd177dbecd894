import { expect, test } from '@jest/globals'
import { hexDump } from './printable.ts'

test.each([
  [Buffer.alloc(0), undefined, '  no bytes'],
  [Buffer.from('Hello\n'), undefined, `  00000000  ${'48 65 6c 6c 6f 0a'.padEnd(47)}  Hello.`],
  [Buffer.alloc(16, 'a'), 1_000_000, /^ {2}00000000 {2}[61 ]{47} {2}a{16}\n {2}… 999,984 bytes more$/],
  [Buffer.alloc(600, 'a'), undefined, /\n {2}… 88 bytes more$/],
])('bytes are shown, and how many are not: %#', (bytes, total, shown) =>
  expect(hexDump(bytes, total)).toEqual(typeof shown === 'string' ? shown : expect.stringMatching(shown)),
)
