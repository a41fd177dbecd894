import { count, counted, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** Decisions of operators that change effects, so that tables and topics may differ. */
const doneByPersons: Readonly<Record<string, string>> = { DROPPED: 'dropped', EDITED: 'edited' }

/** Lists parked events. They are not lost, so they violate nothing; orders that they keep pending violate `orders-ended`. */
export const nothingParked = ({ groups }: Evidence): Finding =>
  judge('nothing-parked', 'events that are parked, or were edited, dropped or skipped', (report) => {
    const byGroup = new Map<string, number>()
    for (const { group, account } of groups) {
      if (account.parked.length > 0) byGroup.set(group.name, account.parked.length)
      for (const { key, type, reason, place, error } of account.parked) {
        report(
          `${group.name}: ${type ?? 'a record'} of ${key} (${place}), ${reason}${error ? `: ${firstLine(error)}` : ''}`,
          true,
        )
      }
    }
    const byHand = new Map<string, number>()
    for (const { group, account } of groups) {
      for (const { action, events } of account.audit) {
        const done = doneByPersons[action]
        if (done) byHand.set(done, (byHand.get(done) ?? 0) + events)
      }
      for (const { key, place, actor, why } of account.dropped)
        report(`${group.name}: ${actor} dropped the event of ${key} (${place})${why ? `: ${why}` : ''}`, true)
    }
    const skipped = groups.flatMap(({ group, account }) => account.skipped.map((each) => ({ group, ...each })))
    for (const { group, topic, partition, from, to, cause, resumeAt, actor, why } of skipped) {
      const done = cause === undefined ? 'skipped' : 'accepted as lost'
      byHand.set(done, (byHand.get(done) ?? 0) + to - from)
      const offsets =
        resumeAt === undefined
          ? `offsets ${from} to ${to - 1}`
          : `what followed offset ${from}, ${cause}; on at ${resumeAt}`
      const act = cause === undefined ? 'skipped' : 'accepted the loss of'
      report(`${group.name}: ${actor} ${act} ${topic}/${partition} ${offsets}: ${why}`, true)
    }
    const total = [...byGroup.values()].reduce((sum, n) => sum + n, 0)
    const now = total === 0 ? 'none' : `${count(total)}: ${counted(byGroup)}`
    return byHand.size === 0 ? now : `${now}; ${counted(byHand)} by an operator`
  })

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''
