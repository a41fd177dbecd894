export const weekMs = 7 * 24 * 3_600_000
/** Day 0 was a Thursday; weeks begin on Monday. */
const firstMondayMs = 4 * 24 * 3_600_000

/**
 * How long ids are remembered, in weeks before the current one. It exceeds any topic's retention plus the time an event
 * may wait in an outbox, so that the inbox knows every event Kafka can still deliver.
 */
export const rememberedWeeks = 3
/** The same in milliseconds. */
export const rememberedMs = rememberedWeeks * weekMs
const weeksAhead = 4

/** The weeks that have partitions of their own at a time. */
export interface Weeks {
  readonly first: number
  readonly last: number
}

/** @param now UTC epoch ms */
export function weeksAround(now: number): Weeks {
  const current = Math.floor((now - firstMondayMs) / weekMs)
  return { first: current - rememberedWeeks, last: current + weeksAhead }
}

/** The smallest id with a time in that week: its 48-bit time, then zeros. */
export function boundOf(week: number): string {
  const hex = (week * weekMs + firstMondayMs).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

/** Ids without a time begin here (`hashedId`). */
export const untimedBound = 'ffffffff-ffff-0000-0000-000000000000'

/** A partition of the inbox. Bounds are ids, `from` inclusive, `to` exclusive; undefined: open. */
export interface Partition {
  readonly name: string
  readonly from: string | undefined
  readonly to: string | undefined
  /** Whether its ids are deleted by age and not together with their week. */
  readonly aged: boolean
}

export const weekPartition = (week: number): Partition => ({
  name: `inbox_w${week}`,
  from: boundOf(week),
  to: boundOf(week + 1),
  aged: false,
})
export const pastPartition = ({ first }: Weeks): Partition => ({
  name: 'inbox_past',
  from: undefined,
  to: boundOf(first),
  aged: true,
})
export const futurePartition = ({ last }: Weeks): Partition => ({
  name: 'inbox_future',
  from: boundOf(last + 1),
  to: untimedBound,
  aged: true,
})
export const untimedPartition: Partition = { name: 'inbox_untimed', from: untimedBound, to: undefined, aged: true }

/** As in `for values …`. */
export const rangeOf = ({ from, to }: Partition): string =>
  `from (${from === undefined ? 'minvalue' : `'${from}'`}) to (${to === undefined ? 'maxvalue' : `'${to}'`})`

/**
 * The same as a condition, from which PostgreSQL concludes that a table may become this partition without reading it.
 */
export const conditionOf = ({ from, to }: Partition): string =>
  [from === undefined ? [] : `event_id >= '${from}'`, to === undefined ? [] : `event_id < '${to}'`].flat().join(' and ')
