import type { Address } from '../../schemas/generated/events.ts'
import { limits } from '../../schemas/validate.ts'
import { readCsv } from './csv-table.ts'
import type { CsvRow, RowProblem } from './csv-table.ts'
import type { Decimal } from './decimal.ts'

export interface SourceOrder {
  /** The number of the order in the file. */
  orderNumber: string
  file: string
  /** Line of its first row. */
  line: number
  customerId: string
  /** UTC epoch ms; null if the file has none. */
  placedAt: number | null
  shipTo: Address
  lines: SourceLine[]
}

export interface SourceLine {
  line: number
  sku: string
  unitPrice: Decimal
  quantity: number
  /** 0 to 1 */
  discount: Decimal
}

export interface SourceOrders {
  orders: SourceOrder[]
  problems: RowProblem[]
}

const requiredColumns = ['OrderID', 'CustomerID', 'ProductID', 'UnitPrice', 'Quantity']
/** Columns in which all rows of an order must agree. */
const orderColumns = ['CustomerID', 'OrderDate', 'ShipName', 'ShipAddress', 'ShipCity', 'ShipPostalCode', 'ShipCountry']

/**
 * Reads a CSV file with one row per order line; rows with the same OrderID form one order, wherever they are. An order with
 * a bad row is omitted as a whole: a part of it is not what the customer ordered.
 * @throws TallyError USAGE when the file cannot be read or lacks a column
 */
export function readOrders(path: string): SourceOrders {
  const { rows, problems } = readCsv(path, requiredColumns)
  const orders = new Map<string, { order: SourceOrder; first: CsvRow }>()
  for (const row of rows) {
    const orderNumber = row.requiredText('OrderID')
    if (!orderNumber) continue
    const known = orders.get(orderNumber)
    if (known) for (const column of orderColumns) mustAgree(column, row, known.first)
    const { order } = known ?? { order: orderOf(orderNumber, row) }
    if (!known) orders.set(orderNumber, { order, first: row })
    const line = lineOf(row)
    const twin = order.lines.find(({ sku }) => sku === line?.sku)
    if (twin) row.problem('ProductID', `${twin.sku} is in this order already, on line ${twin.line}`)
    else if (line) order.lines.push(line)
  }
  const badLines = new Set(problems.map(({ line }) => line))
  const bad = new Set(rows.filter(({ line }) => badLines.has(line)).map((row) => row.text('OrderID')))
  const good = [...orders.values()].map(({ order }) => order).filter(({ orderNumber }) => !bad.has(orderNumber))
  return { orders: good, problems }
}

function mustAgree(column: string, row: CsvRow, first: CsvRow): void {
  if (row.text(column) === first.text(column)) return
  row.problem(column, `"${row.text(column)}", but line ${first.line} of the same order says "${first.text(column)}"`)
}

const orderOf = (orderNumber: string, row: CsvRow): SourceOrder => ({
  orderNumber,
  file: row.file,
  line: row.line,
  customerId: row.requiredText('CustomerID') ?? '',
  placedAt: row.day('OrderDate') ?? null,
  shipTo: {
    recipient: row.text('ShipName'),
    street: row.text('ShipAddress'),
    city: row.text('ShipCity'),
    postalCode: row.text('ShipPostalCode'),
    country: row.text('ShipCountry'),
  },
  lines: [],
})

function lineOf(row: CsvRow): SourceLine | undefined {
  const sku = row.requiredText('ProductID')
  const unitPrice = row.decimal('UnitPrice')
  const quantity = row.integer('Quantity', 1, limits.quantity)
  const discount = row.share('Discount')
  if (!sku || !unitPrice || !quantity || !discount) return undefined
  return { line: row.line, sku, unitPrice, quantity, discount }
}
