/**
 * A walk over names in which every pair, also of a name with itself, occurs at least once as neighbours. It begins with the first
 * name; a step is repeated only where no new pair is left at the name reached.
 */
export function pairsOf(names: readonly string[]): string[] {
  const left = new Map(names.map((name) => [name, new Set(names)]))
  const walk = names.slice(0, 1)
  for (;;) {
    const here = walk.at(-1)
    const open = (here === undefined ? undefined : left.get(here)) ?? new Set<string>()
    // The name with most pairs left, so that the walk ends in no corner early; itself first
    const next =
      here !== undefined && open.has(here)
        ? here
        : ([...open].toSorted((a, b) => left.get(b)!.size - left.get(a)!.size)[0] ??
          names.find((name) => left.get(name)!.size > 0))
    if (here === undefined || next === undefined) return walk
    left.get(here)?.delete(next)
    left.get(next)?.delete(here)
    walk.push(next)
  }
}
