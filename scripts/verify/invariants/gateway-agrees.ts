import { count, explaining, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { OrderFacts } from '../fold.ts'
import type { JournalHold } from '../gateway-journal.ts'
import type { Evidence } from '../evidence.ts'

/** Every authorization, void and capture on the topics is in the gateway's journal, and vice versa. */
export const gatewayAgrees = ({ history, journal, causeOf }: Evidence): Finding =>
  judge('gateway-agrees', "payments on the topics equal the gateway's journal", (report) => {
    if (!journal) return 'not checked: this gateway publishes no journal'
    const { orders } = history.fold
    const reportOf = explaining(report, causeOf)
    const totals = { captures: 0, voids: 0, open: 0 }
    for (const [authorizationId, hold] of journal) {
      totals.captures += hold.captureIds.length
      if (hold.voided) totals.voids++
      else if (hold.captureIds.length === 0) totals.open++
      if (hold.captureIds.length > 1)
        report(`${hold.orderId}: the gateway captured authorization ${authorizationId} ${hold.captureIds.length} times`)
      for (const fault of unknownToTopics(authorizationId, hold, orders.get(hold.orderId)))
        reportOf(hold.orderId, fault)
    }
    for (const [orderId, facts] of orders) {
      for (const fault of unknownToGateway(journal, facts)) reportOf(orderId, fault)
    }
    return `${count(journal.size)} holds: ${count(totals.captures)} captured, ${count(totals.voids)} voided, ${count(totals.open)} open`
  })

/** A voided authorization without an event is allowed: no money is held or was captured. */
function unknownToTopics(
  authorizationId: string,
  { amountMinor, voided, captureIds }: JournalHold,
  facts?: OrderFacts,
): string[] {
  const faults: string[] = []
  const known = new Set(facts?.captured.map(({ captureId }) => captureId))
  for (const id of captureIds)
    if (!known.has(id)) faults.push(`the gateway captured ${amountMinor} (${id}), but there is no event for it`)
  if (!voided && captureIds.length === 0 && !facts?.authorized.has(authorizationId)) {
    faults.push(`the gateway holds ${amountMinor} (${authorizationId}), but there is no event for it`)
  }
  return faults
}

function unknownToGateway(
  journal: ReadonlyMap<string, JournalHold>,
  { authorized, voided, captured }: OrderFacts,
): string[] {
  const faults: string[] = []
  for (const [id, amountMinor] of authorized) {
    if (journal.get(id)?.amountMinor !== amountMinor)
      faults.push(`the gateway has no authorization ${id} of ${amountMinor}`)
  }
  for (const id of voided) if (!journal.get(id)?.voided) faults.push(`the gateway did not void ${id}`)
  for (const { authorizationId, captureId, amountMinor } of captured) {
    const hold = journal.get(authorizationId)
    if (!hold?.captureIds.includes(captureId)) faults.push(`the gateway has no capture ${captureId} of ${amountMinor}`)
  }
  return faults
}
