import { spreadOf } from '../report/report.ts'
import type { Passage } from './run-group.ts'

/** Pauses by step: `stop: moved ms` is the median over the lanes, `stop: moved, longest ms` the maximum. */
export function figuresOf(passages: readonly Passage[]): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const { step, ...lanes } of passages) {
    for (const kind of ['moved', 'stayed'] as const) {
      if (lanes[kind].length === 0) continue
      const { median, highest } = spreadOf(lanes[kind])
      figures[`${step}: ${kind} ms`] = median
      figures[`${step}: ${kind}, longest ms`] = highest
    }
  }
  return figures
}
