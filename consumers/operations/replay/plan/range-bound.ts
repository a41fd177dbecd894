import { TallyError } from '../../../../infra/errors.ts'
import { readTime } from '../../../../schemas/time.ts'

/** The beginning or end of a range, as an operator states it. */
export type RangeBound =
  /** The first event on the broker, the end of the log, the group's position. */
  | { readonly at: 'earliest' | 'latest' | 'group' }
  /** The first event that is not older; UTC epoch ms. */
  | { readonly at: 'time'; readonly time: number }
  /** The same offset in all partitions. */
  | { readonly at: 'offset'; readonly offset: number }
  /** Offsets by `partition` or `topic/partition`; other partitions are left out. */
  | { readonly at: 'offsets'; readonly offsets: ReadonlyMap<string, number> }

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const forms = 'earliest, latest, group, an offset (1200), offsets by partition (3:1200 or orders/3:1200), or a time'

/**
 * Reads `earliest`, `latest`, `group`, `1200`, `3:1200,4:900`, `orders/3:1200`, `2026-03-01T18:00Z`, epoch
 * milliseconds (13 digits), `-2h` (also s, m, d). `offset:1700000000` is an offset however long it is.
 * @param now UTC epoch ms
 * @throws TallyError USAGE
 */
export function parseRangeBound(text: string, now: number = Date.now()): RangeBound {
  if (text === 'earliest' || text === 'latest' || text === 'group') return { at: text }
  const [, offset] = /^(?:offset:)?(\d{1,9})$/.exec(text) ?? /^offset:(\d{1,15})$/.exec(text) ?? []
  if (offset !== undefined) return { at: 'offset', offset: Number(offset) }
  if (/^-\d+$/.test(text)) throw new TallyError('USAGE', `${text}: offsets begin at 0; a time ago is like -2h`)
  const offsets = parseOffsets(text)
  if (offsets) return { at: 'offsets', offsets }
  const time = parseTime(text, now)
  if (time > now) throw new TallyError('USAGE', `${text} lies in the future: it is ${new Date(now).toISOString()}`)
  return { at: 'time', time }
}

const oneOffset = /^((?:[\w.-]+\/)?\d{1,6}):(\d{1,15})$/

function parseOffsets(text: string): Map<string, number> | undefined {
  const parts = text.split(',').map((part) => oneOffset.exec(part.trim()))
  const offsets = new Map<string, number>()
  for (const part of parts) {
    const [, place, offset] = part ?? []
    if (place === undefined) return undefined
    if (offsets.has(place)) throw new TallyError('USAGE', `${text}: partition ${place} is named twice`)
    offsets.set(place, Number(offset))
  }
  return offsets
}

function parseTime(text: string, now: number): number {
  const [, ago, unit] = /^-(\d{1,9})([smhd])$/.exec(text) ?? []
  if (ago !== undefined && unit !== undefined) return now - Number(ago) * units[unit]!
  const { time, fault } = readTime(text)
  if (time !== undefined) return time
  const reason = /^\d/.test(text) ? `it ${fault}` : `use ${forms}`
  throw new TallyError('USAGE', `"${text}" is not a valid start or end of a range: ${reason}`)
}
