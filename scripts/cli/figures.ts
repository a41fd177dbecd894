/** `1,234`; with a noun `1,234 events`, `1 event`. */
export function count(value: number | bigint, noun?: string): string {
  const figure = value.toLocaleString('en', { maximumFractionDigits: 0 })
  return noun === undefined ? figure : `${figure} ${noun}${figure === '1' ? '' : 's'}`
}

/** `0 s`, `430 ms`, `3.1 s`, `12 s`, `3 min 20 s`, `12 min`, `2 h 5 min` */
export function duration(ms: number): string {
  if (ms === 0) return '0 s'
  if (Math.round(ms) < 1_000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 10) return `${(ms / 1_000).toFixed(1)} s`
  if (seconds < 60) return `${seconds} s`
  if (seconds < 600)
    return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`
  const minutes = Math.floor((seconds % 3_600) / 60)
  return `${Math.floor(seconds / 3_600)} h${minutes > 0 ? ` ${minutes} min` : ''}`
}

const units = ['B', 'kB', 'MB', 'GB', 'TB']

/** `512 B`, `3.4 kB`, `120 MB`: powers of 1,000. */
export function bytes(value: number): string {
  let [scaled, unit] = [value, 0]
  while (scaled >= 999.5 && unit < units.length - 1) [scaled, unit] = [scaled / 1_000, unit + 1]
  return `${unit > 0 && scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)} ${units[unit]}`
}

/** The first few of a list, and how many more there are. */
export const firstOf = (items: readonly string[], limit: number): string[] =>
  items.length <= limit ? [...items] : [...items.slice(0, limit), `… and ${count(items.length - limit)} more`]
