const earliest = Date.UTC(1980, 0, 1)
const latest = Date.UTC(2100, 0, 1)

/** Whether a number is a plausible event time in UTC epoch milliseconds: from 1980 to 2099. */
export const isPlausibleTime = (ms: number): boolean => Number.isInteger(ms) && ms >= earliest && ms < latest

/** UTC epoch ms, or why a text is no time: to follow the text, `"2026" has no month`. */
export type ReadTime = { time: number; fault?: undefined } | { time?: undefined; fault: string }

/** RFC 3339, section 5.6; the seconds may be left out. A blank for the T is allowed by the note there. */
const zoned =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * Reads a time as it enters from outside, in the same notations everywhere: RFC 3339 with an offset, or epoch milliseconds in
 * 12 or 13 digits. Anything else would be read in the zone of this machine, or guessed. Fractions beyond milliseconds are cut.
 */
export function readTime(text: string): ReadTime {
  const match = zoned.exec(text)
  if (!match) return /^\d+$/.test(text) ? readEpoch(text) : { fault: whyNoTime(text) }
  const [, year, month, day, hour, minute, second = '0', fraction = '', offset = 'Z'] = match
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  // 30 February would be 2 March
  if (!new Date(local).toISOString().startsWith(`${year}-${month}-${day}`))
    return { fault: 'is no day of the calendar' }
  const time = local + Number(fraction.padEnd(3, '0').slice(0, 3)) - minutesOf(offset) * 60_000
  return isPlausibleTime(time) ? { time } : { fault: 'is not between 1980 and 2099' }
}

function readEpoch(digits: string): ReadTime {
  if (digits.length === 10) return { fault: 'is in seconds: write epoch milliseconds' }
  const time = Number(digits)
  return isPlausibleTime(time) ? { time } : { fault: `is neither ${notations} between 1980 and 2099` }
}

/** Minutes east of UTC. */
function minutesOf(offset: string): number {
  if (/^z$/i.test(offset)) return 0
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4))
  return offset.startsWith('-') ? -minutes : minutes
}

const notations = 'RFC 3339 with an offset (2026-03-01T18:00:00Z) nor epoch milliseconds'

function whyNoTime(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `has no time of day and no offset: write ${text}T00:00:00Z for UTC`
  if (/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?$/.test(text))
    return `has no offset: write ${text.replace(' ', 'T')}Z for UTC`
  return `is neither ${notations}`
}
