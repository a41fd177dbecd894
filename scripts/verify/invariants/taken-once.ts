import { count, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** Each group has processed each event of its types once: its inbox, its ledger and the topics give the same number. */
export const takenOnce = ({ history, groups, losses }: Evidence): Finding =>
  judge('taken-once', 'each group processed every event once', (report) => {
    const totals = { taken: 0, duplicates: 0 }
    for (const { group, account } of groups) {
      const counts = [
        ...[...group.topics].flatMap((topic) =>
          [...group.handles].map((type) => history.types.get(`${topic}/${type}`)),
        ),
        ...[...group.topics].map((topic) => history.untyped.get(topic)),
      ]
      const events = sum(counts.map((seen) => seen?.events))
      const repeats = sum(counts.map((seen) => seen?.repeats))
      const spans = [...account.ledger.values()].flat()
      const taken = sum(spans.map((span) => span.taken + span.parked))
      // Records that a replay read again are repeats that are not on the topics
      const duplicates = sum(spans.map((span) => (span.replay === null ? span.duplicates : 0)))
      // An unreadable record is parked under its place. If it turns out to be a repeat, it counts as processed and as repeat
      const found = sum(account.audit.map(({ action, events: n }) => (action === 'DUPLICATE' ? n : 0)))
      const over = taken - events
      // None of the events at these offsets was processed; how many events lie there is not counted
      const skipped = sum(account.skipped.map(({ from, to, cause }) => (cause === undefined ? to - from : 0)))
      const missing = events + repeats - taken - duplicates
      const whole = group.begins === 'first' // Otherwise the topics hold older events that the group must not process
      const { rows, distinct } = account.inbox
      if (rows !== distinct) report(`${group.name}: ${rows - distinct} ids are in the inbox more than once`)
      const gone = losses.goneFrom(group.topics) // Processed before they were lost, at most
      // Inboxes forget ids weeks after retention has deleted their events
      if (rows > taken || rows < taken - found - gone)
        report(
          `${group.name}: ${rows} ids in the inbox, but ${taken} events processed or parked according to the ledger`,
        )
      if (gone > 0 && Math.max(over - found, -missing) <= gone) {
        if (over > found) report(`${group.name}: processed ${taken} events, the topics hold ${events} of them`, true)
        if (whole && missing > skipped) report(`${group.name}: ${missing} events on the topics were not processed`)
      } else if ((whole && over < -skipped) || over > found)
        report(`${group.name}: processed ${taken} events, the topics hold ${events}`)
      else if (whole ? missing < 0 || missing > skipped : duplicates > repeats)
        report(`${group.name}: dropped ${duplicates} repeats, the topics hold ${repeats}`)
      totals.taken += taken
      totals.duplicates += duplicates
    }
    return `${count(totals.taken)} processed, ${count(totals.duplicates)} repeats dropped, ${groups.length} groups`
  })

const sum = (numbers: readonly (number | undefined)[]): number => numbers.reduce<number>((total, n = 0) => total + n, 0)
