import { count, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import { compareLane } from '../publications.ts'
import type { Evidence } from '../evidence.ts'

/** Each number an outbox assigned is on a topic or still in the outbox, no other is, and each lane published in order. */
export const outboxPublished = ({ history, outboxes, undeployed, losses }: Evidence): Finding =>
  judge('outbox-published', 'each outbox published every event, in order', (report) => {
    const { lanes: published } = history.publications
    const known = new Set<string>()
    const totals = { given: 0, waiting: 0 }
    for (const { writer, lanes } of outboxes) {
      for (const [number, lane] of lanes) {
        const name = `${writer.name}/${number}`
        known.add(name)
        totals.given += lane.nextSeq - 1
        totals.waiting += lane.waiting.size
        for (const fault of compareLane(name, lane, published.get(name), (gap, oldest) => {
          const cause = losses.causeIn(number, oldest)
          report(cause === undefined ? gap : `${gap}, because ${cause}`, cause !== undefined)
        }))
          report(fault)
      }
    }
    let repeats = 0
    for (const [name, lane] of published) {
      repeats += lane.repeats
      if (known.has(name)) continue
      const removed = undeployed.has(name.slice(0, name.lastIndexOf('/')))
      const by = removed ? 'a consumer that was removed' : 'a lane that no service has'
      report(`${name}: ${lane.eventIds.size} events published by ${by}`, removed)
    }
    return `${count(totals.given)} assigned, ${count(totals.waiting)} unpublished, ${count(repeats)} published again`
  })
