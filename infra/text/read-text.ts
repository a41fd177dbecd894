import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { TallyError } from '../errors.ts'
import { whyUnreadable } from '../why-unreadable.ts'

/** Text, or why bytes are none: to follow a name of where they come from, `it is UTF-16`. */
export type DecodedText = { text: string; fault?: undefined } | { text?: undefined; fault: string }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes a whole text: strict UTF-8, without a byte order mark at its beginning. */
export function decodeText(bytes: Uint8Array): DecodedText {
  if (startsWith(bytes, [0xff, 0xfe]) || startsWith(bytes, [0xfe, 0xff]))
    return { fault: 'it is UTF-16: save it as UTF-8' }
  return decodeUtf8(withoutMark(bytes))
}

/** Decodes strict UTF-8. Invalid bytes are never replaced: that would change data unnoticed. */
export function decodeUtf8(bytes: Uint8Array): DecodedText {
  if (!isUtf8(bytes)) return { fault: `byte ${firstInvalid(bytes) + 1} is not UTF-8: save it as UTF-8` }
  return { text: utf8.decode(bytes) }
}

/** Without the UTF-8 byte order mark. */
export const withoutMark = (bytes: Uint8Array): Uint8Array =>
  startsWith(bytes, [0xef, 0xbb, 0xbf]) ? bytes.subarray(3) : bytes

/** @throws TallyError USAGE if a file cannot be read or is no UTF-8 */
export function readTextFile(path: string): string {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new TallyError('USAGE', `Cannot read ${path}: ${whyUnreadable(error)}`)
  }
  const { text, fault } = decodeText(bytes)
  if (fault !== undefined) throw new TallyError('USAGE', `Cannot read ${path}: ${fault}`)
  return text
}

const startsWith = (bytes: Uint8Array, prefix: readonly number[]): boolean =>
  bytes.length >= prefix.length && prefix.every((byte, at) => bytes[at] === byte)

/** Index of the first byte of the first invalid sequence, by halving: the longest valid prefix ends there. */
function firstInvalid(bytes: Uint8Array): number {
  let [low, high] = [0, bytes.length]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    // A prefix may end within a character: up to three bytes fewer are valid, too
    const valid = [0, 1, 2, 3].some((less) => middle - less >= low && isUtf8(bytes.subarray(0, middle - less)))
    if (valid) low = middle
    else high = middle - 1
  }
  while (low > 0 && !isUtf8(bytes.subarray(0, low))) low--
  return low
}
