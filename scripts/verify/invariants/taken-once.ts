import { count, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** Each group has taken each event of its types once: its inbox, its ledger and the topics say the same number. */
export const takenOnce = ({ history, groups }: Evidence): Finding =>
  judge('taken-once', 'every event taken once by each of its groups', (report) => {
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
      // What a replay had taken again is a repeat of its own making
      const duplicates = sum(spans.map((span) => (span.replay === null ? span.duplicates : 0)))
      // Parked under one id and found, when it could be read, to be a repeat under another: so many may be counted either way
      const found = sum(account.audit.map(({ action, events: n }) => (action === 'DUPLICATE' ? n : 0)))
      const over = taken - events
      const whole = group.begins === 'first' // Else the topics hold more than it was to take
      const { rows, distinct } = account.inbox
      if (rows !== distinct) report(`${group.name}: ${rows - distinct} ids are in the inbox more than once`)
      if (rows > taken || rows < taken - found)
        report(`${group.name}: the inbox has ${rows} ids, the ledger says ${taken} were taken or parked`)
      if ((whole && over < 0) || over > found) report(`${group.name}: took ${taken} events, the topics hold ${events}`)
      else if (whole ? duplicates + over !== repeats : duplicates > repeats)
        report(`${group.name}: dropped ${duplicates} repeats, the topics hold ${repeats}`)
      totals.taken += taken
      totals.duplicates += duplicates
    }
    return `${count(totals.taken)} taken, ${count(totals.duplicates)} repeats dropped, ${groups.length} groups`
  })

const sum = (numbers: readonly (number | undefined)[]): number => numbers.reduce<number>((total, n = 0) => total + n, 0)
