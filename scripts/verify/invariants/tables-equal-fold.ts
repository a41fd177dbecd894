import { count, explaining, judge } from '../finding.ts'
import type { Finding, ReportOf } from '../finding.ts'
import { finalStateOf, reservationOf, stockOf } from '../fold.ts'
import type { Fold, OrderFacts } from '../fold.ts'
import type { ServiceTables } from '../service-tables.ts'
import type { Evidence } from '../evidence.ts'

/** The rows of each service equal the state that the events of all topics add up to. */
export const tablesEqualFold = ({ history, tables, causeOf, undeployed, losses }: Evidence): Finding =>
  judge('tables-equal-fold', 'tables equal the state derived from all topics', (report) => {
    const { orders } = history.fold
    const leftByAge = new Set<string>()
    const reportOf = explaining(report, causeOf)
    const mayHaveLeft = (orderId: string, facts: OrderFacts) =>
      tables.retired > 0 && !tables.statuses.has(orderId) && finalStateOf(facts) !== undefined
    for (const [orderId, facts] of orders)
      compareOrder(orderId, facts, tables, (service, fault) => {
        if (undeployed.has(service)) return
        if (service === 'order-status' && mayHaveLeft(orderId, facts)) return void leftByAge.add(orderId)
        const cause = losses.rebuiltWithout(service, orderId)
        if (cause === undefined) reportOf(orderId, fault)
        else report(`${orderId}: ${fault}, because ${cause}`, true)
      })
    const ofOrders = {
      'order-status': tables.statuses,
      payment: tables.payments,
      inventory: tables.reservations,
      shipping: tables.shipments,
    }
    if (leftByAge.size > tables.retired)
      report(`${leftByAge.size} ended orders are missing in order-status; ${tables.retired} have left by their age`)
    let rows = 0
    for (const [service, table] of Object.entries(ofOrders)) {
      rows += table.size
      for (const orderId of table.keys())
        if (!orders.has(orderId)) reportOf(orderId, `a row in ${service}, but no topic has an event of it`)
    }
    if (!undeployed.has('inventory')) compareStock(history.fold, tables, causeOf, reportOf)
    const retired = leftByAge.size > 0 ? `, ${count(leftByAge.size)} ended orders left by age` : ''
    return `${count(rows)} rows of ${count(orders.size)} orders, ${count(tables.stock.size)} of stock${retired}`
  })

function compareOrder(
  orderId: string,
  facts: OrderFacts,
  tables: ServiceTables,
  report: (service: string, fault: string) => void,
): void {
  const differ = (service: string, row: string, fold: string) => {
    if (row !== fold) report(service, `${row} in ${service}, ${fold} according to the topics`)
  }
  const status = tables.statuses.get(orderId)
  const ended = ['completed', 'cancelled', 'rejected'].includes(status?.status ?? '')
  differ('order-status', ended ? String(status?.status) : 'pending', finalStateOf(facts) ?? 'pending')
  differ('order-status', `total ${status?.totalMinor ?? undefined}`, `total ${facts.placed[0]?.totalMinor}`)
  differ('order-status', typesOf(status?.seen), typesOf(facts.counts.keys()))

  const payment = tables.payments.get(orderId)
  const money = moneyOf(facts)
  differ('payment', before.has(payment?.phase) ? 'none' : String(payment?.phase), money)
  const [held] = facts.authorized.values()
  if (held !== undefined) differ('payment', `amount ${payment?.amountMinor}`, `amount ${held}`)

  const reservation = tables.reservations.get(orderId)
  const goods = goodsOf(facts)
  differ('inventory', before.has(reservation?.phase) ? 'none' : String(reservation?.phase), goods)
  if (goods !== 'none' && goods !== 'rejected')
    differ('inventory', linesOf(reservation?.lines), linesOf(facts.reserved))

  const shipment = tables.shipments.get(orderId)?.phase ?? 'gathering'
  differ('shipping', shipment, deliveryOf(facts))
}

/** Phases, and a missing row, that leave no event on the topics. */
const before: ReadonlySet<string | undefined> = new Set([undefined, 'unplaced', 'closed', 'authorizing', 'scheduled'])

function moneyOf({ counts }: OrderFacts): string {
  if (counts.has('PaymentCaptured')) return 'captured'
  if (counts.has('PaymentVoided')) return 'voided'
  if (counts.has('PaymentDeclined')) return 'declined'
  return counts.has('PaymentAuthorized') ? 'authorized' : 'none'
}

function goodsOf(facts: OrderFacts): string {
  if (facts.counts.has('StockRejected')) return 'rejected'
  const reservation = reservationOf(facts)
  return reservation === 'open' ? 'reserved' : reservation
}

function deliveryOf({ counts }: OrderFacts): string {
  if (counts.has('ShipmentScheduled')) return 'scheduled'
  if (counts.has('FulfilmentCancelled')) return 'cancelled'
  return counts.has('PaymentDeclined') || counts.has('StockRejected') ? 'rejected' : 'gathering'
}

const typesOf = (types: Iterable<string> = []): string => [...types].sort().join(', ') || 'nothing'

const linesOf = (lines: readonly { sku: string; quantity: number }[] = []): string =>
  lines
    .map(({ sku, quantity }) => `${quantity} ${sku}`)
    .sort()
    .join(' + ')

function compareStock(
  fold: Fold,
  { stock, reservations }: ServiceTables,
  causeOf: Evidence['causeOf'],
  report: ReportOf,
): void {
  // Where an act explains the order, its reservation is as the table says; the articles must agree with that exactly
  const expected = stockOf(fold, (orderId) => {
    if (causeOf(orderId) === undefined) return undefined
    const { phase = 'none', lines = [] } = reservations.get(orderId) ?? {}
    return { phase, lines }
  })
  for (const [orderId, { phase, lines }] of reservations) {
    if (fold.orders.has(orderId) || causeOf(orderId) === undefined) continue
    if (phase !== 'reserved' && phase !== 'shipped') continue
    for (const { sku, quantity } of lines) {
      const facts = expected.get(sku) ?? { replenished: 0, reserved: 0, shipped: 0 }
      facts[phase] += quantity
      expected.set(sku, facts)
    }
  }
  for (const sku of new Set([...expected.keys(), ...stock.keys()])) {
    const { replenished, reserved, shipped } = expected.get(sku) ?? { replenished: 0, reserved: 0, shipped: 0 }
    const row = stock.get(sku) ?? { onHand: 0, reserved: 0, shipped: 0 }
    const said = `${row.onHand} on hand, ${row.reserved} reserved, ${row.shipped} shipped`
    const folded = `${replenished - reserved - shipped} on hand, ${reserved} reserved, ${shipped} shipped`
    if (said !== folded) report(sku, `${said} in inventory; ${folded} according to the topics`)
  }
}
