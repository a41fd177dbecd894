import type { GroupAccount } from '../../../consumers/operations/group-account.ts'
import { count, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** Audit actions that remove a parked event. */
const left: ReadonlySet<string> = new Set(['HANDLED', 'DUPLICATE', 'DROPPED'])

/** Counts the records that are parked, and those that the audit says have left. */
export const accountedFor = ({ parked, audit }: Pick<GroupAccount, 'parked' | 'audit'>) => {
  const gone = audit.filter(({ source, action }) => source === 'record' && left.has(action))
  return {
    parked: parked.filter(({ source }) => source === 'record').length,
    gone: gone.reduce((sum, { events }) => sum + events, 0),
  }
}

/** Each record that the ledger counts as parked is still parked or in the audit: none disappears without a trace. */
export const parkedAccounted = ({ groups }: Evidence): Finding =>
  judge('parked-accounted', 'each parked event is still parked or in the audit', (report) => {
    const totals = { parked: 0, gone: 0 }
    for (const { group, account } of groups) {
      const said = [...account.ledger.values()].flat().reduce((sum, span) => sum + span.parked, 0)
      const { parked, gone } = accountedFor(account)
      if (said !== parked + gone)
        report(
          `${group.name}: the ledger counts ${said} parked; ${parked} are parked now and ${gone} have left according to the audit`,
        )
      totals.parked += parked
      totals.gone += gone
    }
    return `${count(totals.parked + totals.gone)} were parked, ${count(totals.gone)} of them have left`
  })
