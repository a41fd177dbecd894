/** A walk over names in which every ordered pair, also of a name with itself, occurs once as neighbours. */
export function pairsOf(names: readonly string[]): string[] {
  const [first] = names
  if (first === undefined) return []
  // A de Bruijn sequence of order two: its Lyndon words in alphabetical order are each name, followed by its pairs with later ones
  const words = names.flatMap((name, index) => [name, ...names.slice(index + 1).flatMap((other) => [name, other])])
  return [...words, first]
}
