import { TallyError } from '../../../../infra/errors.ts'
import { groupStanding } from '../reading/group-standing.ts'
import type { ReplayContext } from '../mode.ts'
import type { PlanPartition } from '../plan.ts'
import type { RangeBound } from './range-bound.ts'
import { readExtents } from './read-extents.ts'
import type { PartitionExtent } from './read-extents.ts'

export interface RangeRequest {
  /** Without namespace. */
  readonly topics: readonly string[]
  readonly from: RangeBound
  /** Exclusive. */
  readonly to: RangeBound
}

/** A range with its offsets, before it is read. */
export type PinnedRange = Pick<
  PlanPartition,
  'topic' | 'partition' | 'low' | 'end' | 'from' | 'to' | 'position' | 'lost'
>

/**
 * Resolves a request to offsets, from the broker's present extents and the group's positions. Leaves out partitions with an
 * empty range.
 * @throws TallyError USAGE: unknown topic or partition, an offset beyond the end, an empty range
 */
export async function resolveRanges(
  context: Pick<ReplayContext, 'kafka' | 'config' | 'pool' | 'definition'>,
  { topics, from, to }: RangeRequest,
): Promise<PinnedRange[]> {
  if (from.at === 'time' && to.at === 'time' && from.time >= to.time)
    throw new TallyError('USAGE', 'the range would end before it begins')
  const times = [from, to].flatMap((bound) => (bound.at === 'time' ? bound.time : []))
  const extents = await readExtents(context, topics, times)
  refuseUnknown(extents, topics, [from, to])
  const standing = context.definition ? await groupStanding(context.pool, extents) : new Map<string, number>()
  const ranges = extents
    .filter((extent) => isNamed(extent, from) && isNamed(extent, to))
    .map((extent): PinnedRange => {
      const position = standing.get(placeOf(extent)) ?? null
      const place = { ...extent, position }
      return pin(place, from, offsetOf(place, from, 0), to, offsetOf(place, to, times.length - 1))
    })
    .filter(({ from: first, to: end, lost }) => first < end || lost > 0)
  if (ranges.every((range) => range.from === range.to)) throw new TallyError('USAGE', nothingThere(ranges, from, to))
  return ranges
}

type Place = PartitionExtent & Pick<PlanPartition, 'position'>

const placeOf = ({ topic, partition }: Pick<PartitionExtent, 'topic' | 'partition'>): string => `${topic}/${partition}`

/** @param time index of the bound's time among the requested ones */
function offsetOf(place: Place, bound: RangeBound, time: number): number {
  switch (bound.at) {
    case 'earliest':
      return place.low
    case 'latest':
      return place.end
    case 'group':
      return place.position ?? place.low // It never read this partition
    case 'time':
      return place.notOlder[time] ?? place.end
    case 'offset':
      return bound.offset
    case 'offsets':
      return named(place, bound.offsets) ?? place.low
  }
}

/**
 * Offsets below the first one on the broker are lost; offsets beyond the end are an error. A range by time or position that
 * would end before it begins is empty.
 */
function pin(place: Place, from: RangeBound, asked: number, to: RangeBound, until: number): PinnedRange {
  const { topic, partition, low, end, position } = place
  const beyond = [asked, until].find((offset) => offset > end)
  if (beyond !== undefined)
    throw new TallyError('USAGE', `${placeOf(place)} ends at offset ${end}: there is no ${beyond} yet`)
  if (asked > until && (from.at === 'offset' || from.at === 'offsets'))
    throw new TallyError(
      'USAGE',
      to.at === 'group'
        ? `the group has read ${placeOf(place)} up to offset ${until} only, not to ${asked}`
        : `${placeOf(place)}: the range would end at offset ${until}, before it begins at ${asked}`,
    )
  const first = Math.min(asked, until)
  const lost = Math.min(until, low) - Math.min(first, low)
  return { topic, partition, low, end, from: Math.max(first, low), to: Math.max(until, low), position, lost }
}

const isNamed = (place: PartitionExtent, bound: RangeBound): boolean =>
  bound.at !== 'offsets' || named(place, bound.offsets) !== undefined

const named = (place: PartitionExtent, offsets: ReadonlyMap<string, number>): number | undefined =>
  offsets.get(placeOf(place)) ?? offsets.get(String(place.partition))

/** Named partitions must exist and be unambiguous. */
function refuseUnknown(
  extents: readonly PartitionExtent[],
  topics: readonly string[],
  bounds: readonly RangeBound[],
): void {
  for (const bound of bounds) {
    if (bound.at !== 'offsets') continue
    for (const place of bound.offsets.keys()) {
      if (!place.includes('/') && topics.length > 1)
        throw new TallyError(
          'USAGE',
          `partition ${place} of which topic? Write ${topics[0]}/${place}, or name one with --topic`,
        )
      if (extents.some((extent) => placeOf(extent) === place || String(extent.partition) === place)) continue
      throw new TallyError('USAGE', `there is no partition ${place}: there are ${partitionsOf(extents)}`)
    }
  }
}

const partitionsOf = (extents: readonly PartitionExtent[]): string =>
  [...Map.groupBy(extents, ({ topic }) => topic)]
    .map(([topic, { length }]) => `${topic}/0${length > 1 ? ` to ${topic}/${length - 1}` : ''}`)
    .join(', ')

function nothingThere(ranges: readonly PinnedRange[], from: RangeBound, to: RangeBound): string {
  const lost = ranges.reduce((sum, range) => sum + range.lost, 0)
  if (lost > 0) return `retention has deleted all of it: ${lost.toLocaleString('en')} offsets`
  if (to.at === 'group' && from.at !== 'group') return 'the group has read none of it yet: there is nothing to replay'
  return 'the range is empty: there is nothing to replay'
}
