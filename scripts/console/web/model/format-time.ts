const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
})
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const full = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'long',
})

/** `14:03:12.250`, in the zone of the browser. */
export const clockTime = (at: string | number): string => clock.format(new Date(at))

/** `29 Nov 2026` */
export const dayOf = (at: string | number): string => day.format(new Date(at))

/** `29 Nov 2026, 14:03:12 CET`: with the zone. */
export const fullTime = (at: string | number): string => full.format(new Date(at))

/** `250 ms`, `3.2 s`, `4 min`, `5 h`, `2 d`. */
export function duration(ms: number): string {
  const value = Math.max(0, ms)
  if (value < 1_000) return `${Math.round(value)} ms`
  if (value < 120_000) return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)} s`
  if (value < 7_200_000) return `${Math.round(value / 60_000)} min`
  return value < 172_800_000 ? `${Math.round(value / 3_600_000)} h` : `${Math.round(value / 86_400_000)} d`
}

/** `4 min ago`, `in 3.2 s`. @param now epoch ms */
export function relative(at: string, now: number): string {
  const ms = now - Date.parse(at)
  return ms < 0 ? `in ${duration(-ms)}` : `${duration(ms)} ago`
}
