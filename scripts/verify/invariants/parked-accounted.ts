import type { GroupAccount } from '../../../consumers/operations/group-account.ts'
import { count, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** Ways in which a parked event leaves. */
const left: ReadonlySet<string> = new Set(['HANDLED', 'DUPLICATE', 'DROPPED'])

/** Records that are parked, and records that were and have left with a trace in the audit. */
export const accountedFor = ({ parked, audit }: Pick<GroupAccount, 'parked' | 'audit'>) => {
  const gone = audit.filter(({ source, action }) => source === 'record' && left.has(action))
  return {
    parked: parked.filter(({ source }) => source === 'record').length,
    gone: gone.reduce((sum, { events }) => sum + events, 0),
  }
}

/** What the ledger calls parked is still parked, or the audit says what became of it: nothing leaves the parking lot in silence. */
export const parkedAccounted = ({ groups }: Evidence): Finding =>
  judge('parked-accounted', 'every parked event is there or accounted for', (report) => {
    const totals = { parked: 0, gone: 0 }
    for (const { group, account } of groups) {
      const said = [...account.ledger.values()].flat().reduce((sum, span) => sum + span.parked, 0)
      const { parked, gone } = accountedFor(account)
      if (said !== parked + gone)
        report(`${group.name}: the ledger says ${said} were parked; ${parked} are, and ${gone} have left by the audit`)
      totals.parked += parked
      totals.gone += gone
    }
    return `${count(totals.parked + totals.gone)} were parked, ${count(totals.gone)} of them have left`
  })
