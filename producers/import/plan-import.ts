import type { z } from 'zod'
import { TallyError } from '../../infra/errors.ts'
import { findFault, limits } from '../../schemas/validate.ts'
import type { Event } from '../sample-data/event-generator.ts'
import { newProduct, path } from '../orders-api/http/contract.ts'
import { seededId } from '../sample-data/seeded.ts'
import type { RowProblem } from './csv-table.ts'
import { lineAmountMinor, minorDigitsOf, zero } from './decimal.ts'
import type { SourceOrder, SourceOrders } from './read-orders.ts'
import type { SourceProduct, SourceProducts } from './read-products.ts'

export interface ImportOptions {
  /** ISO 4217 code of every price. */
  currency: string
  /** `as-given`: as in the products file; `enough`: at least the total that the orders need. */
  stock: 'as-given' | 'enough'
  /** Time of deliveries and of orders without a date, UTC epoch ms. */
  importedAt: number
}

type Delivery = Extract<Event, { type: 'StockReplenished' }>
type Order = Extract<Event, { type: 'OrderPlaced' }>

export interface Product {
  sku: string
  product: z.infer<typeof newProduct>
}

export interface ImportPlan {
  products: Product[]
  deliveries: Delivery[]
  orders: Order[]
  /** Rows that cannot be imported; their orders are not in the plan. */
  problems: RowProblem[]
}

/**
 * Plans the events of an import. Every id is a function of the source's content, so importing the same rows again changes
 * nothing, and changed rows are new events, not duplicates.
 * @throws TallyError USAGE for an unknown currency
 */
export function planImport(source: SourceOrders, catalogue: SourceProducts, options: ImportOptions): ImportPlan {
  const { currency, importedAt } = options
  if (!Intl.supportedValuesOf('currency').includes(currency)) {
    throw new TallyError('USAGE', `There is no currency ${currency}: give an ISO 4217 code such as EUR`)
  }
  const minorDigits = minorDigitsOf(currency)
  const problems = [...catalogue.problems, ...source.problems]
  const keepGood = <T>(found: RowProblem[], item: T): T[] => {
    problems.push(...found)
    return found.length > 0 ? [] : [item]
  }
  const available = catalogue.products.flatMap((row) =>
    keepGood(productProblems(row, productOf(row, currency, minorDigits)), row),
  )
  const skus = new Set(available.map(({ sku }) => sku))
  const orders = source.orders.flatMap((order) => {
    const event = orderPlaced(order, currency, minorDigits, importedAt)
    return keepGood(orderProblems(order, event, skus), event)
  })
  return {
    products: available.map((row) => productOf(row, currency, minorDigits)),
    deliveries: deliveriesOf(available, orders, options),
    orders,
    problems,
  }
}

const productOf = ({ sku, name, unitPrice }: SourceProduct, currency: string, minorDigits: number): Product => ({
  sku,
  product: { name, unitPriceMinor: String(lineAmountMinor(unitPrice, 1, zero, minorDigits)), currency },
})

function productProblems({ file, line }: SourceProduct, { sku, product }: Product): RowProblem[] {
  const columns: Record<PropertyKey, string> = { sku: 'ProductID', name: 'ProductName', unitPriceMinor: 'UnitPrice' }
  const issues = [path.sku.safeParse({ sku }), newProduct.safeParse(product)].flatMap(
    ({ error }) => error?.issues ?? [],
  )
  return issues.map(({ path: [field = ''], message }) => ({ file, line, column: columns[field], message }))
}

function orderPlaced(source: SourceOrder, currency: string, minorDigits: number, importedAt: number): Order {
  const { orderNumber, customerId, shipTo, placedAt } = source
  const lines = source.lines.map(({ sku, quantity, unitPrice, discount }) => ({
    sku,
    quantity,
    unitPriceMinor: Number(lineAmountMinor(unitPrice, 1, zero, minorDigits)),
    amountMinor: Number(lineAmountMinor(unitPrice, quantity, discount, minorDigits)),
  }))
  const totalMinor = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  const content = JSON.stringify([orderNumber, customerId, currency, lines, shipTo, placedAt])
  const orderId = seededId('import', 'order', content)
  const data = { orderId, customerId, currency, lines, totalMinor, shipTo, placedAt: placedAt ?? importedAt }
  return { type: 'OrderPlaced', id: seededId('import', 'OrderPlaced', content), data }
}

function orderProblems({ file, line, lines }: SourceOrder, { data }: Order, skus: ReadonlySet<string>): RowProblem[] {
  const unknown = lines.filter(({ sku }) => !skus.has(sku))
  if (unknown.length > 0) {
    return unknown.map(({ line, sku }) => ({
      file,
      line,
      column: 'ProductID',
      message: `no product ${sku} in the products file`,
    }))
  }
  const exact = data.totalMinor <= Number.MAX_SAFE_INTEGER
  const fault = exact ? findFault('OrderPlaced', data) : `the order is worth ${data.totalMinor} minor units: too much`
  return fault === undefined ? [] : [{ file, line, message: fault }]
}

/** The deliveries: one per product, several if one would exceed the limit, none if there is no stock. */
function deliveriesOf(
  products: readonly SourceProduct[],
  orders: readonly Order[],
  options: ImportOptions,
): Delivery[] {
  const ordered = Map.groupBy(
    orders.flatMap(({ id, data }) => data.lines.map(({ sku, quantity }) => ({ id, sku, quantity }))),
    ({ sku }) => sku,
  )
  return products.flatMap(({ sku, unitsInStock }) => {
    // Stock computed for these orders belongs to them, so that other orders get their own delivery
    const reason = options.stock === 'enough' ? (ordered.get(sku) ?? []) : []
    const quantity = Math.max(
      unitsInStock,
      reason.reduce((sum, line) => sum + line.quantity, 0),
    )
    return Array.from({ length: Math.ceil(quantity / limits.quantity) }, (_, part) => ({
      type: 'StockReplenished',
      id: seededId('import', 'StockReplenished', JSON.stringify([sku, quantity, reason, part])),
      data: {
        sku,
        quantity: Math.min(limits.quantity, quantity - part * limits.quantity),
        replenishedAt: options.importedAt,
      },
    }))
  })
}
