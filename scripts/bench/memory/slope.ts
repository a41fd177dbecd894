/**
 * Slope of the second half of a series, after the warm-up, by least squares.
 * @param values one value every `everySeconds`
 * @returns growth per minute
 */
export function slopePerMinute(values: readonly number[], everySeconds: number): number {
  const late = values.slice(Math.floor(values.length / 2))
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length
  const [middle, level] = [(late.length - 1) / 2, mean(late)]
  const across = late.reduce((sum, value, index) => sum + (index - middle) * (value - level), 0)
  const along = late.reduce((sum, _, index) => sum + (index - middle) ** 2, 0)
  return along === 0 ? 0 : (across / along) * (60 / everySeconds)
}
