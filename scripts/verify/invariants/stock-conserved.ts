import { count, explaining, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import type { Evidence } from '../evidence.ts'

/** Each unit delivered is on hand, reserved or shipped, and each reserved unit belongs to an open reservation. */
export const stockConserved = ({ history, tables, undeployed, losses }: Evidence): Finding =>
  judge('stock-conserved', 'stock is conserved: replenished = on hand + reserved + shipped', (report) => {
    if (undeployed.has('inventory')) return 'not checked: inventory has no tables'
    const { replenished } = history.fold
    const reportOf = explaining(report, losses.causeOf)
    const open = new Map<string, number>()
    for (const { phase, lines } of tables.reservations.values()) {
      if (phase !== 'reserved') continue
      for (const { sku, quantity } of lines) open.set(sku, (open.get(sku) ?? 0) + quantity)
    }
    const totals = { replenished: 0, onHand: 0, reserved: 0, shipped: 0 }
    for (const sku of new Set([...replenished.keys(), ...tables.stock.keys(), ...open.keys()])) {
      const { onHand, reserved, shipped } = tables.stock.get(sku) ?? { onHand: 0, reserved: 0, shipped: 0 }
      const delivered = replenished.get(sku) ?? 0
      if (delivered !== onHand + reserved + shipped) {
        reportOf(sku, `${delivered} replenished, but ${onHand} on hand + ${reserved} reserved + ${shipped} shipped`)
      }
      if (Math.min(onHand, reserved, shipped) < 0)
        report(`${sku}: ${onHand} on hand, ${reserved} reserved, ${shipped} shipped`)
      if (reserved !== (open.get(sku) ?? 0))
        report(`${sku}: ${reserved} reserved, open reservations hold ${open.get(sku) ?? 0}`)
      totals.replenished += delivered
      totals.onHand += onHand
      totals.reserved += reserved
      totals.shipped += shipped
    }
    const { replenished: all, onHand, reserved, shipped } = totals
    return `${count(all)} = ${count(onHand)} + ${count(reserved)} + ${count(shipped)} units, ${count(tables.stock.size)} articles`
  })
