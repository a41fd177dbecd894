import { limits } from '../../schemas/validate.ts'
import { seededId } from '../sample-data/seeded.ts'
import type { Delivery, ImportedOrder } from './import-book.ts'
import type { PlannedOrder } from './plan-import.ts'

/** A value of an order that is not what was imported. */
export interface Change {
  file: string
  line: number
  orderNumber: string
  orderId: string
  field: string
  was: string
  is: string
}

export interface Comparison {
  fresh: PlannedOrder[]
  unchanged: PlannedOrder[]
  changes: Change[]
}

/** Divides orders into new ones, those that were imported as they are, and changed ones. */
export function compareOrders(orders: readonly PlannedOrder[], known: ReadonlyMap<string, ImportedOrder>): Comparison {
  const comparison: Comparison = { fresh: [], unchanged: [], changes: [] }
  for (const order of orders) {
    const before = known.get(order.orderNumber)
    if (!before) {
      comparison.fresh.push(order)
      continue
    }
    const changes = changesOf(order, before)
    if (changes.length === 0) comparison.unchanged.push(order)
    comparison.changes.push(...changes)
  }
  return comparison
}

function changesOf(order: PlannedOrder, { data: before, forgotten = false }: ImportedOrder): Change[] {
  const { file, orderNumber, line, lineOf, dated, event } = order
  const changes: Change[] = []
  const compare = (field: string, was: unknown, is: unknown, at = line) => {
    if (was === is) return
    changes.push({ file, line: at, orderNumber, orderId: before.orderId, field, was: shown(was), is: shown(is) })
  }
  const { data } = event
  compare('customerId', before.customerId, data.customerId)
  compare('currency', before.currency, data.currency)
  if (dated) compare('placedAt', new Date(before.placedAt).toISOString(), new Date(data.placedAt).toISOString())
  for (const part of forgotten ? [] : (['recipient', 'street', 'city', 'postalCode', 'country'] as const))
    compare(`shipTo.${part}`, before.shipTo[part], data.shipTo[part])
  const lines = new Map(before.lines.map((each) => [each.sku, each]))
  for (const now of data.lines) {
    const was = lines.get(now.sku)
    lines.delete(now.sku)
    if (!was) compare(`article ${now.sku}`, undefined, now.quantity, lineOf.get(now.sku))
    else
      for (const name of ['quantity', 'unitPriceMinor', 'amountMinor'] as const)
        compare(`${name} of ${now.sku}`, was[name], now[name], lineOf.get(now.sku))
  }
  for (const gone of lines.values()) compare(`article ${gone.sku}`, gone.quantity, undefined)
  return changes
}

const shown = (value: unknown): string => (value === undefined ? 'none' : String(value as string | number))

/**
 * The deliveries that bring each article to what is given, or to what all imported orders need if that is more. What earlier
 * imports delivered counts, whatever their files were: the same import again delivers nothing.
 */
export function missingStock(
  given: ReadonlyMap<string, number>,
  ordered: ReadonlyMap<string, number>,
  delivered: ReadonlyMap<string, number>,
  at: number,
): Delivery[] {
  const skus = new Set([...given.keys(), ...ordered.keys()])
  return [...skus].flatMap((sku) => {
    const deliveries: Delivery[] = []
    const target = Math.max(given.get(sku) ?? 0, ordered.get(sku) ?? 0)
    for (let from = delivered.get(sku) ?? 0; from < target; from += limits.quantity) {
      const quantity = Math.min(limits.quantity, target - from)
      const id = seededId('import', 'StockReplenished', JSON.stringify([sku, from, quantity]))
      deliveries.push({ type: 'StockReplenished', id, data: { sku, quantity, replenishedAt: at } })
    }
    return deliveries
  })
}
