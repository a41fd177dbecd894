import type { Plan } from '../../../../consumers/operations/replay/plan.ts'
import { modes } from '../../../../consumers/operations/replay/run/modes.ts'
import type { PlanResult } from '../../contract/replay.ts'

type Counted = 'selected' | 'scanned' | 'bytes' | 'lost' | 'handled' | 'known' | 'forgotten'

/** A plan as its page shows it. @param refusals why it would be refused now */
export function planResult(plan: Plan, refusals: readonly string[]): PlanResult {
  const sum = (ranges: Plan['partitions'], of: Counted) => ranges.reduce((total, range) => total + range[of], 0)
  const times = plan.partitions.flatMap(({ firstTime, lastTime }) => [firstTime ?? [], lastTime ?? []].flat())
  const all = plan.partitions
  const timeOf = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString())
  const sorted = times.toSorted((a, b) => a - b)
  return {
    plan: plan.id,
    mode: plan.mode,
    group: plan.group,
    describe: modes[plan.mode].describe(plan),
    selected: sum(all, 'selected'),
    scanned: sum(all, 'scanned'),
    bytes: sum(all, 'bytes'),
    lost: sum(all, 'lost'),
    handled: sum(all, 'handled'),
    known: sum(all, 'known'),
    forgotten: sum(all, 'forgotten'),
    parked: plan.parkedEvents,
    firstTime: timeOf(sorted[0]),
    lastTime: timeOf(sorted.at(-1)),
    topics: [...Map.groupBy(all, ({ topic }) => topic)].map(([topic, ranges]) => ({
      topic,
      partitions: ranges.length,
      selected: sum(ranges, 'selected'),
      scanned: sum(ranges, 'scanned'),
      known: sum(ranges, 'known'),
      lost: sum(ranges, 'lost'),
    })),
    partitions: all.map(({ topic, partition, from, to, selected }) => ({
      ...{ place: `${topic}/${partition}`, from: String(from), to: String(to), selected },
    })),
    unreadable: plan.schemas.flatMap(({ id, unreadable }) => (unreadable ? [`schema ${id}: ${unreadable}`] : [])),
    refusals,
  }
}
