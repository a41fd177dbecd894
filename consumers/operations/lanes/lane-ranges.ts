import { TallyError } from '../../../infra/errors.ts'

/** Formats lane numbers for operators: `0-3,7`. */
export function laneRanges(lanes: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const lane of lanes.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last && last[1] === lane - 1) last[1] = lane
    else ranges.push([lane, lane])
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',')
}

/**
 * Reads `3` or `0-3,7`.
 * @throws TallyError USAGE
 */
export function parseLanes(text: string): number[] {
  const lanes = new Set<number>()
  for (const range of text.split(',')) {
    const [, from, to = from] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(range) ?? []
    if (from === undefined || Number(to) < Number(from))
      throw new TallyError('USAGE', 'It is neither a lane nor a range of lanes, as in 3 or 0-3,7.')
    for (let lane = Number(from); lane <= Number(to); lane++) lanes.add(lane)
  }
  return [...lanes]
}
