import { createProgress } from '../cli/progress.ts'
import type { Progress } from '../cli/progress.ts'

/** A line of progress for each group, if it takes long. @param totals how many events there will be, by group */
export function progressByGroup(label: (group: string) => string, totals?: ReadonlyMap<string, number>) {
  const lines = new Map<string, Progress>()
  return {
    of(group: string): Progress {
      const line = lines.get(group) ?? createProgress(label(group), { total: totals?.get(group), brief: true })
      lines.set(group, line)
      return line
    },
  }
}
