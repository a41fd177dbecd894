import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { printable, printableLogLine, safeJson } from './printable.ts'
import { decodeText } from './read-text.ts'
import { longestLine, textLines } from './text-lines.ts'

const lines = async (...chunks: Uint8Array[]) => {
  const read = []
  for await (const each of textLines(chunksOf(chunks))) read.push(each)
  return read
}
async function* chunksOf(chunks: readonly Uint8Array[]) {
  yield* chunks
}
const bytes = (text: string) => Buffer.from(text)

/** Text with everything that some reader takes for the end of a line. */
const piece = fc.constantFrom(
  'a',
  'é',
  '😀',
  '\n',
  '\r',
  '\r\n',
  '\u2028',
  '\u2029',
  '\u0085',
  '\v',
  '\f',
  '\ufeff',
  '"',
)

test('lines are those of the whole text, wherever the bytes are cut', () =>
  fc.assert(
    fc.asyncProperty(fc.array(piece), fc.array(fc.nat(40)), async (pieces, cuts) => {
      const text = pieces.join('')
      const whole = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)
      if (whole.at(-1) === '') whole.pop()
      const all = bytes(text)
      const at = [0, ...cuts.filter((cut) => cut < all.length).toSorted((a, b) => a - b), all.length]
      const read = await lines(...at.slice(1).map((end, index) => all.subarray(at[index], end)))
      expect(read).toEqual(whole.map((each, index) => ({ line: index + 1, text: each })))
    }),
  ))

test('a line that is no UTF-8 is a fault, the others are read', async () => {
  expect(await lines(Buffer.from('a\n'), Buffer.from([0x62, 0xe9, 0x0a]), bytes('c'))).toEqual([
    { line: 1, text: 'a' },
    { line: 2, fault: 'byte 2 is not UTF-8: save it as UTF-8' },
    { line: 3, text: 'c' },
  ])
})

test('a line without end does not fill the memory', async () => {
  const mebibyte = Buffer.alloc(1024 * 1024, 'x')
  const read = await lines(...Array.from({ length: longestLine / mebibyte.length + 2 }, () => mebibyte), bytes('\nb'))
  expect(read).toEqual([
    { line: 1, fault: 'the line is longer than 8 MiB' },
    { line: 2, text: 'b' },
  ])
})

test('bytes are strict UTF-8 without a byte order mark', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (given) => {
      const { text, fault } = decodeText(given)
      if (text === undefined) return expect(fault).toMatch(/UTF-/)
      return expect(
        Buffer.from(text).equals(Buffer.from(given).subarray(Buffer.from(given).length - Buffer.byteLength(text))),
      ).toBe(true)
    }),
  )
  expect(decodeText(bytes('\ufeffa')).text).toBe('a')
  expect(decodeText(Buffer.from([0xff, 0xfe, 0x61, 0])).fault).toBe('it is UTF-16: save it as UTF-8')
  expect(decodeText(Buffer.from([0x61, 0xc3, 0xa9, 0xed, 0xa0, 0x80])).fault).toBe(
    'byte 4 is not UTF-8: save it as UTF-8',
  )
})

test('nothing from outside controls a terminal, and JSON stays the same value', () => {
  const hostile = 'a\u001b[31mb\u009b2Jc\u2028d\u202ee\u007f\n\ud800'
  expect(printable(hostile)).toBe('abc·d·e···')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = safeJson(JSON.stringify(text))
      expect(JSON.parse(json)).toBe(text)
      expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    }),
  )
})

test('a log line is safe to print, as JSON also after it is parsed', () => {
  const hostile = 'a\u001b[31mb\u202ec'
  expect(printableLogLine(`WARN ${hostile}`)).toBe('WARN ab·c')
  const line = printableLogLine(JSON.stringify({ msg: hostile, err: { stack: 'one\ntwo\u009b2J' }, lane: 3 }))
  expect(JSON.parse(line)).toEqual({ msg: 'ab·c', err: { stack: 'one\ntwo' }, lane: 3 })
})
