import { count, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** The proof needs complete topics: it cannot count records that retention has deleted. */
export const topicsWhole = ({ history, losses }: Evidence): Finding =>
  judge('topics-whole', 'topics are complete from offset 0 to their end', (report) => {
    for (const [topic, partitions] of history.ranges) {
      for (const [partition, { low }] of partitions.entries()) {
        if (low === 0) continue
        const cause = losses.causeAt(`${topic}/${partition}`)
        const because = cause === undefined ? '' : `, because ${cause}`
        report(
          `${topic}/${partition}: offsets 0 to ${low - 1} were deleted and cannot be checked${because}`,
          cause !== undefined,
        )
      }
    }
    for (const place of history.unusable) report(`${place}: cannot be read`, true)
    for (const [name, records] of history.newer)
      report(
        `${name}, ${count(records)} records: every group ignores this type, which this version does not know`,
        true,
      )
    const repeats = [...history.types.values(), ...history.untyped.values()].reduce(
      (sum, type) => sum + type.repeats,
      0,
    )
    return `${count(history.records)} records, ${count(repeats)} repeats, ${count(history.unusable.length)} unreadable`
  })
