import type { Span } from '../runtime/tables/ledger-account.ts'
import type { NewBeginning } from '../runtime/tables/skipped-table.ts'

/** The offsets a partition has on the broker: `[low, end)`. */
export interface OffsetRange {
  low: number
  end: number
}

/**
 * Faults of a partition's spans; none if they cover every offset from the first to the last exactly once and account
 * for each. Spans of replays lie over offsets that were covered before.
 * @param beginnings accepted losses after which the partition's offsets begin anew
 */
export function tilingFaults(
  place: string,
  spans: readonly Span[],
  { low, end }: OffsetRange,
  beginnings: readonly NewBeginning[] = [],
): string[] {
  const faults: string[] = []
  let position = 0
  const ahead = beginnings.toSorted((a, b) => a.epoch - b.epoch)
  for (const { epoch, first, next, replay, ...counts } of spans.toSorted((a, b) => a.epoch - b.epoch)) {
    for (; ahead[0] && ahead[0].epoch <= epoch; ahead.shift()) position = ahead[0].resumeAt
    const accounted = Object.values(counts).reduce((sum, n) => sum + n, 0)
    if (next - first !== accounted)
      faults.push(`${place}: epoch ${epoch} accounts for ${accounted} of ${next - first} offsets`)
    if (replay !== null) {
      if (next > position)
        faults.push(`${place}: replay ${replay} took offset ${next - 1}, which was never reached before`)
      continue
    }
    const gone = position === 0 && first <= low // Retention had deleted these before the group first read
    if (first > position && !gone) faults.push(`${place}: offsets ${position} to ${first - 1} are in no span`)
    if (first < position)
      faults.push(`${place}: epoch ${epoch} begins at ${first}, but ${position - 1} was taken before`)
    position = Math.max(position, next)
  }
  if (position < end && end > low) faults.push(`${place}: offsets ${position} to ${end - 1} are not taken`)
  if (position > end) faults.push(`${place}: stands at ${position}, but the topic ends at ${end}`)
  return faults
}
