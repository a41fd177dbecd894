import { count, explaining, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** `ce_source` of events that entered through the orders API. */
const api = '/tally/orders-api'

/** Each order that the API accepted is in its table and on the topic or in the outbox, once and with the same total. */
export const ordersAccepted = ({ history, tables, outboxes, causeOf }: Evidence): Finding =>
  judge('orders-accepted', 'each accepted order has one OrderPlaced event', (report) => {
    const { orders } = history.fold
    const reportOf = explaining(report, causeOf)
    const waiting = new Set(
      outboxes.flatMap(({ lanes }) => [...lanes.values()].flatMap((lane) => [...lane.waiting.values()])),
    )
    const accepted = new Map(tables.accepted.map((order) => [order.orderId, order]))
    let pending = 0
    for (const orderId of tables.forgotten) report(`${orderId} was answered 201 and is not in the table`)
    for (const { orderId, eventId, totalMinor, currency } of tables.accepted) {
      const placed = orders.get(orderId)?.placed ?? []
      if (placed.length === 0 && waiting.has(eventId)) pending++
      else if (placed.length !== 1) reportOf(orderId, `it was accepted and has ${placed.length} OrderPlaced events`)
      for (const event of placed) {
        if (event.id !== eventId) reportOf(orderId, `its OrderPlaced is ${event.id}, not ${eventId}`)
        else if (event.totalMinor !== totalMinor || event.currency !== currency) {
          reportOf(orderId, `accepted for ${totalMinor} ${currency}, placed for ${event.totalMinor} ${event.currency}`)
        }
      }
    }
    for (const [orderId, { placed }] of orders) {
      if (placed.some(({ source }) => source === api) && !accepted.has(orderId))
        report(`${orderId} was placed by the API, but is not in its table`)
    }
    return `${count(accepted.size)} accepted by the API${pending > 0 ? `, ${count(pending)} not published yet` : ''}`
  })
