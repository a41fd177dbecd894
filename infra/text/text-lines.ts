import { decodeText, decodeUtf8, withoutMark } from './read-text.ts'
import type { DecodedText } from './read-text.ts'

export type TextLine = DecodedText & {
  /** From 1. */
  line: number
}

/** Longer lines are refused, so that a file without line ends cannot fill the memory. */
export const longestLine = 8 * 1024 * 1024

const LF = 0x0a
const CR = 0x0d

/**
 * Splits strict UTF-8 into lines. A line ends at LF, CRLF or CR and nothing else: U+2028 or U+0085 inside a JSON text are
 * characters of it. A byte order mark at the beginning is taken off. A line that is no UTF-8 or too long is a fault of its own;
 * the lines after it are read.
 * @param chunks bytes, cut anywhere
 */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextLine> {
  let parts: Uint8Array[] = []
  let length = 0
  let line = 0
  let afterCr = false
  const keep = (part: Uint8Array) => {
    if (length <= longestLine) parts.push(part)
    length += part.length
  }
  const take = (): TextLine => {
    const whole = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    const tooLong = length > longestLine
    parts = []
    length = 0
    line++
    if (tooLong) return { line, fault: `the line is longer than ${longestLine / 1024 / 1024} MiB` }
    return { line, ...(line === 1 ? decodeText(whole) : decodeUtf8(whole)) }
  }
  for await (const given of chunks) {
    let chunk = given
    if (afterCr && chunk[0] === LF) chunk = chunk.subarray(1)
    if (given.length > 0) afterCr = false
    for (let end = lineEnd(chunk); end >= 0; end = lineEnd(chunk)) {
      keep(chunk.subarray(0, end))
      const isCr = chunk[end] === CR
      const skipped = isCr && chunk[end + 1] === LF ? 2 : 1
      afterCr = isCr && end + 1 === chunk.length
      chunk = chunk.subarray(end + skipped)
      yield take()
    }
    if (chunk.length > 0) keep(Uint8Array.from(chunk)) // The stream may use its buffer again
  }
  const onlyMark = line === 0 && length === 3 && withoutMark(Buffer.concat(parts)).length === 0
  if (length > 0 && !onlyMark) yield take()
}

/** Index of the first LF or CR; -1 if there is none. Neither byte occurs inside a UTF-8 sequence. */
function lineEnd(bytes: Uint8Array): number {
  const lf = bytes.indexOf(LF)
  const cr = (lf < 0 ? bytes : bytes.subarray(0, lf)).indexOf(CR)
  return cr < 0 ? lf : cr
}
