import type { z } from 'zod'
import { TallyError } from '../../infra/errors.ts'
import { findFault } from '../../schemas/validate.ts'
import type { Event } from '../sample-data/event-generator.ts'
import { newProduct, path } from '../orders-api/http/contract.ts'
import { seededId } from '../sample-data/seeded.ts'
import type { RowProblem } from './csv-table.ts'
import { lineAmountMinor, minorDigitsOf, zero } from './decimal.ts'
import type { SourceLine, SourceOrder, SourceOrders } from './read-orders.ts'
import type { SourceProduct, SourceProducts } from './read-products.ts'

export interface ImportOptions {
  /** Of all prices of products, and of orders whose file names no currency; ISO 4217. */
  currency: string
  /** Where the orders come from: with the number in the file it identifies an order. */
  source: string
  /** Time of orders without a date, UTC epoch ms. */
  importedAt: number
}

type Order = Extract<Event, { type: 'OrderPlaced' }>

export interface Product {
  sku: string
  product: z.infer<typeof newProduct>
}

export interface PlannedOrder {
  source: string
  orderNumber: string
  file: string
  line: number
  /** Lines of the file by article. */
  lineOf: ReadonlyMap<string, number>
  /** Whether the file says when it was placed. */
  dated: boolean
  event: Order
}

export interface ImportPlan {
  products: Product[]
  /** Units in stock by article, as the products file says. */
  stock: ReadonlyMap<string, number>
  orders: PlannedOrder[]
  /** Rows that cannot be imported; their orders are not in the plan. */
  problems: RowProblem[]
  /** Orders left out because the file says they were cancelled. */
  cancelled: number
}

/**
 * Plans the events of an import. The ids of an order are a function of its source and number alone, so that a corrected row is
 * never a second order.
 * @param catalogue undefined: the articles are those of the orders, and the catalogue stays as it is
 * @throws TallyError USAGE for an unknown currency
 */
export function planImport(
  source: SourceOrders,
  catalogue: SourceProducts | undefined,
  options: ImportOptions,
): ImportPlan {
  const minorDigits = digitsOf(options.currency)
  const problems = [...(catalogue?.problems ?? []), ...source.problems]
  const keepGood = <T>(found: RowProblem[], item: T): T[] => {
    problems.push(...found)
    return found.length > 0 ? [] : [item]
  }
  const available = catalogue?.products.flatMap((row) => {
    const product = productOf(row, options.currency, minorDigits)
    return keepGood(productProblems(row, product), { row, product })
  })
  const skus = available && new Set(available.map(({ row }) => row.sku))
  const orders = source.orders.flatMap((order) => {
    const currency = order.currency ?? options.currency
    if (!isCurrency(currency)) {
      const { file, line } = order
      return keepGood([{ file, line, message: `there is no currency ${currency}` }], undefined as never)
    }
    const event = orderPlaced(order, { ...options, currency })
    const lineOf = new Map(order.lines.toReversed().map(({ sku, line }) => [sku, line]))
    const { orderNumber, file, line, placedAt } = order
    const planned = { source: options.source, orderNumber, file, line, lineOf, dated: placedAt !== null, event }
    return keepGood(orderProblems(order, event, skus), planned)
  })
  return {
    products: (available ?? []).map(({ product }) => product),
    stock: new Map((available ?? []).map(({ row }) => [row.sku, row.unitsInStock])),
    orders,
    problems,
    cancelled: source.cancelled,
  }
}

const currencies = new Set(Intl.supportedValuesOf('currency'))
const isCurrency = (code: string): boolean => currencies.has(code)

function digitsOf(currency: string): number {
  if (isCurrency(currency)) return minorDigitsOf(currency)
  throw new TallyError('USAGE', `There is no currency ${currency}: give an ISO 4217 code such as EUR`)
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

function orderPlaced(source: SourceOrder, { currency, source: name, importedAt }: ImportOptions): Order {
  const { orderNumber, customerId, shipTo, placedAt } = source
  const digits = minorDigitsOf(currency)
  const bySku = new Map<string, Order['data']['lines'][number]>()
  for (const line of source.lines) {
    const amountMinor = amountOf(line, digits)
    const unitPriceMinor = line.unitPrice
      ? Number(lineAmountMinor(line.unitPrice, 1, zero, digits))
      : Math.round(amountMinor / line.quantity)
    const { sku, quantity } = line
    const before = bySku.get(sku)
    if (!before) bySku.set(sku, { sku, quantity, unitPriceMinor, amountMinor })
    else
      bySku.set(sku, { ...before, quantity: before.quantity + quantity, amountMinor: before.amountMinor + amountMinor })
  }
  const lines = [...bySku.values()]
  const totalMinor = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  const identity = JSON.stringify([name, orderNumber])
  const orderId = seededId('import', 'order', identity)
  const data = { orderId, customerId, currency, lines, totalMinor, shipTo, placedAt: placedAt ?? importedAt }
  return { type: 'OrderPlaced', id: seededId('import', 'OrderPlaced', identity), data }
}

/** Minor units of a line after its discounts; negative if they exceed its price. */
function amountOf(
  { amount, unitPrice = zero, quantity, discount, discountAmount }: SourceLine,
  digits: number,
): number {
  const full = amount
    ? lineAmountMinor(amount, 1, zero, digits)
    : lineAmountMinor(unitPrice, quantity, discount, digits)
  return Number(full - lineAmountMinor(discountAmount, 1, zero, digits))
}

function orderProblems(
  { file, line, lines }: SourceOrder,
  { data }: Order,
  skus: ReadonlySet<string> | undefined,
): RowProblem[] {
  const unknown = lines.filter(({ sku }) => skus && !skus.has(sku))
  if (unknown.length > 0) {
    return unknown.map(({ line, sku }) => ({
      file,
      line,
      column: 'ProductID',
      message: `no product ${sku} in the products file`,
      cause: 'is not in the products file',
    }))
  }
  const exact = data.totalMinor <= Number.MAX_SAFE_INTEGER
  const fault = exact ? findFault('OrderPlaced', data) : `the order is worth ${data.totalMinor} minor units: too much`
  return fault === undefined ? [] : [{ file, line, message: fault }]
}
