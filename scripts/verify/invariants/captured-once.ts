import { count, explaining, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** Each completed order has one capture, of its total and against its own authorization; no other order has any. */
export const capturedOnce = ({ history, causeOf }: Evidence): Finding =>
  judge('captured-once', 'each completed order has one capture, of its total', (report) => {
    const reportOf = explaining(report, causeOf)
    let captures = 0
    let cents = 0
    for (const [orderId, { captured, placed, authorized }] of history.fold.orders) {
      captures += captured.length
      if (captured.length > 1) report(`${orderId}: ${captured.length} captures`)
      for (const { amountMinor, currency, authorizationId, captureId } of captured) {
        cents += amountMinor
        const order = placed[0]
        if (order?.totalMinor !== amountMinor || order.currency !== currency) {
          const total = order ? `its total is ${order.totalMinor} ${order.currency}` : 'it was never placed'
          reportOf(orderId, `captured ${amountMinor} ${currency}, ${total}`)
        }
        if (authorized.get(authorizationId) !== amountMinor)
          reportOf(orderId, `capture ${captureId} has no authorization of ${amountMinor}`)
      }
    }
    return `${count(captures)} captures, ${count(cents)} minor units`
  })
