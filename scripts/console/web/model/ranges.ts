/** Lane numbers for people: `0-3,7`. */
export function ranges(lanes: readonly number[]): string {
  const parts: [number, number][] = []
  for (const lane of lanes.toSorted((a, b) => a - b)) {
    const last = parts.at(-1)
    if (last && last[1] === lane - 1) last[1] = lane
    else parts.push([lane, lane])
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',')
}
