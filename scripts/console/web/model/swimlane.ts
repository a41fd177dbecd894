import type { OrderEvent } from '../../contract/orders.ts'

/** A dot or tick of the picture. */
export interface Mark {
  readonly x: number
  readonly row: number
  readonly kind: 'published' | 'handled' | 'parked'
  readonly label: string
  readonly eventIndex: number
}

/** A line from where an event was published to where it was handled. */
export interface Arc {
  readonly x1: number
  readonly row1: number
  readonly x2: number
  readonly row2: number
  readonly eventIndex: number
}

export interface Swimlanes {
  /** Services from top to bottom, in the order in which they wrote or handled something first. */
  readonly rows: readonly string[]
  readonly marks: readonly Mark[]
  readonly arcs: readonly Arc[]
  /** Length of the time axis, milliseconds. */
  readonly spanMs: number
  readonly ticks: readonly { readonly x: number; readonly ms: number }[]
}

/**
 * Who wrote and who handled the events of an order, and when. Gaps in which nothing happened are drawn shorter than they
 * were: distances grow with the logarithm of the time, and `ticks` tell the true times.
 * @returns x from 0 to 1; undefined if no event has a time
 */
export function swimlanes(events: readonly OrderEvent[]): Swimlanes | undefined {
  const moments = events.flatMap(({ publishedAt, reads }) => [
    ...(publishedAt ? [Date.parse(publishedAt)] : []),
    ...reads.flatMap(({ at }) => (at ? [Date.parse(at)] : [])),
  ])
  if (moments.length === 0) return undefined
  const sorted = [...new Set(moments)].sort((a, b) => a - b)
  const first = sorted[0] ?? 0
  const positions = new Map<number, number>()
  let reached = 0
  for (const [index, at] of sorted.entries()) {
    if (index > 0) reached += Math.log2(2 + (at - (sorted[index - 1] ?? at)) / 4)
    positions.set(at, reached)
  }
  const x = (at: string) => (positions.get(Date.parse(at)) ?? 0) / Math.max(1, reached)
  const rows = [
    ...new Set(
      events
        .flatMap(({ writer, publishedAt, reads }) => [
          ...(writer && publishedAt ? [{ name: writer, at: publishedAt }] : []),
          ...reads.flatMap(({ consumer, at }) => (at ? [{ name: consumer, at }] : [])),
        ])
        .sort((a, b) => a.at.localeCompare(b.at))
        .map(({ name }) => name),
    ),
  ]
  const marks: Mark[] = []
  const arcs: Arc[] = []
  for (const [eventIndex, { type, writer, publishedAt, reads }] of events.entries()) {
    const from = publishedAt && writer ? { x: x(publishedAt), row: rows.indexOf(writer) } : undefined
    if (from) marks.push({ ...from, kind: 'published', label: `${writer} published ${type}`, eventIndex })
    for (const { consumer, at, state } of reads) {
      if (!at) continue
      const to = { x: x(at), row: rows.indexOf(consumer) }
      const kind = state === 'parked' ? 'parked' : 'handled'
      marks.push({ ...to, kind, label: `${consumer} ${kind} ${type}`, eventIndex })
      if (from) arcs.push({ x1: from.x, row1: from.row, x2: to.x, row2: to.row, eventIndex })
    }
  }
  return {
    rows,
    marks,
    arcs,
    spanMs: (sorted.at(-1) ?? first) - first,
    ticks: ticksOf(sorted, first, positions, reached),
  }
}

const leastDistance = 0.09

function ticksOf(
  sorted: readonly number[],
  first: number,
  positions: ReadonlyMap<number, number>,
  reached: number,
): { x: number; ms: number }[] {
  const ticks: { x: number; ms: number }[] = []
  for (const at of sorted) {
    const x = (positions.get(at) ?? 0) / Math.max(1, reached)
    const before = ticks.at(-1)
    if (!before || x - before.x >= leastDistance) ticks.push({ x, ms: at - first })
  }
  return ticks
}
