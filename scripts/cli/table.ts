import { wrap } from './terminal.ts'

export type Cell = string | number | bigint

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  /** How many rows are shown at most; a last line tells how many more there are. */
  readonly limit?: number
}

const gap = '  '
/** Words up to this length are never broken in a cell: an identifier stays fit for copying. */
const unbroken = 40
/** A text that is longer than this gets at least so much room, or a line of its own. */
const readable = 16

/**
 * A table as lines of at most `width` characters: no frame, a rule under the head, figures flush right. Long texts wrap.
 * Columns for which there is no room move below their row.
 */
export function tableLines({ head, rows, limit = rows.length }: Table, width: number): string[] {
  const cells = rows.slice(0, limit).map((row) => row.map(cellText))
  const columns = head.map((title, at) =>
    measure(
      title,
      cells.map((row) => row[at] ?? ''),
    ),
  )
  const widths = fit(columns, width)
  const beneath = columns.slice(widths.length)
  const lineOf = (texts: readonly string[]): string[] => {
    const wrapped = widths.map((room, at) => wrap(texts[at] ?? '', room))
    const height = Math.max(...wrapped.map((lines) => lines.length))
    return Array.from({ length: height }, (_, line) =>
      widths
        .map((room, at) => {
          const text = wrapped[at]?.[line] ?? ''
          return columns[at]?.figures ? text.padStart(room) : text.padEnd(room)
        })
        .join(gap)
        .trimEnd(),
    )
  }
  const more = rows.length - cells.length
  return [
    ...lineOf(head),
    widths.map((room) => '-'.repeat(room)).join(gap),
    ...cells.flatMap((row) => [...lineOf(row), ...beneathLines(beneath, row.slice(widths.length), width)]),
    ...(more > 0 ? [`… and ${more.toLocaleString('en')} more`] : []),
  ]
}

/** What found no room in a row: on one line, or if that is too long, on a line for each column. */
function beneathLines(columns: readonly Column[], texts: readonly string[], width: number): string[] {
  const parts = columns.flatMap(({ title }, at) => {
    const text = texts[at] ?? ''
    return text === '' ? [] : [title === '' ? text : `${title}: ${text}`]
  })
  const together = `  ${parts.join(', ')}`
  return together.length <= width && parts.every((part) => !part.includes('\n'))
    ? parts.length > 0
      ? [together]
      : []
    : parts.flatMap((part) => wrap(`  ${part}`, width))
}

interface Column {
  readonly title: string
  readonly figures: boolean
  readonly natural: number
  readonly least: number
}

const figure = /^(\d[\d,.]* ?(ms|s|min|h|d|B|kB|MB|GB|TB|%|\/s)( \d+ (s|min))?|\?|–|never|)$/

function measure(title: string, texts: readonly string[]): Column {
  const figures = texts.some((text) => /^\d/.test(text)) && texts.every((text) => isNumber(text) || figure.test(text))
  const widest = (parts: readonly string[]) => Math.max(0, ...parts.map(({ length }) => length))
  const words = widest(
    [title, ...texts].flatMap((text) => text.split(/\s+/)).filter(({ length }) => length <= unbroken),
  )
  const natural = widest([title, ...texts.flatMap((text) => text.split('\n'))])
  const least = figures ? Math.max(words, widest(texts)) : Math.max(words, Math.min(natural, readable))
  return { title, figures, natural, least }
}

const isNumber = (text: string): boolean => /^-?\d[\d,]*(\.\d+)?$/.test(text)

/** Widths of the first columns, as many as find room. */
function fit(columns: readonly Column[], width: number): number[] {
  const gaps = (count: number) => gap.length * (count - 1)
  let count = columns.length
  const needed = () => columns.slice(0, count).reduce((sum, { least }) => sum + least, gaps(count))
  while (count > 1 && needed() > width) count--
  const kept = columns.slice(0, count)
  const widths = kept.map(({ natural }) => natural)
  const spare = (at: number) => widths[at]! - kept[at]!.least
  for (let over = widths.reduce((sum, one) => sum + one, gaps(count)) - width; over > 0; over--) {
    const widest = widths.reduce((best, _, at) => (spare(at) > spare(best) ? at : best), 0)
    widths[widest]!--
  }
  return widths
}

const cellText = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.toLocaleString('en'))
