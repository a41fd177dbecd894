import { printableLines } from '../../infra/text/printable.ts'
import { duration } from '../cli/figures.ts'

export { printable, printableLines } from '../../infra/text/printable.ts'

/** Not longer than `width`. */
export const cut = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`

/** `3 min 20 s` since then. */
export const since = (then: Date): string => duration(Math.max(0, Date.now() - then.getTime()))

/** When the owner retries an event that is the first of its key. */
export function nextAttempt(at: Date | null): string {
  if (at === null) return 'waits for you'
  const ms = at.getTime() - Date.now()
  return ms <= 0 ? 'now' : `in ${duration(ms)}`
}

/** Formatted JSON, each line behind `indent`. */
export const indented = (value: unknown, indent = '  '): string =>
  printableLines(JSON.stringify(value, null, 2) ?? 'nothing').replaceAll(/^/gm, indent)

const mostBytes = 512

/**
 * `00000010  48 65 6c 6c 6f …  Hello…`, at most 512 bytes.
 * @param total number of bytes, of which `bytes` may be the first ones only
 */
export function hexDump(bytes: Buffer, total = bytes.length): string {
  const shown = Math.min(bytes.length, mostBytes)
  const lines: string[] = []
  for (let at = 0; at < shown; at += 16) {
    const row = bytes.subarray(at, Math.min(at + 16, shown))
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = [...row].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`  ${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`)
  }
  if (total > shown) lines.push(`  … ${(total - shown).toLocaleString('en')} bytes more`)
  return lines.length > 0 ? lines.join('\n') : '  no bytes'
}
