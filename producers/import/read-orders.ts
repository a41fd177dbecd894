import type { Address } from '../../schemas/generated/events.ts'
import { limits } from '../../schemas/validate.ts'
import { orderFields, presets } from './columns.ts'
import type { Columns, Field } from './columns.ts'
import { readCsv } from './csv-table.ts'
import type { CsvRow, RowProblem, TableNotations } from './csv-table.ts'
import { zero } from './decimal.ts'
import type { Decimal } from './decimal.ts'

export interface SourceOrder {
  /** The number of the order in the file. */
  orderNumber: string
  file: string
  /** Line of its first row. */
  line: number
  customerId: string
  /** ISO 4217; undefined if the file has none. */
  currency?: string
  /** UTC epoch ms; null if the file has none. */
  placedAt: number | null
  shipTo: Address
  lines: SourceLine[]
}

export interface SourceLine {
  line: number
  sku: string
  quantity: number
  /** Of one unit; undefined if the file has only the amount. */
  unitPrice?: Decimal
  /** 0 to 1 */
  discount: Decimal
  /** Taken off the whole line. */
  discountAmount: Decimal
  /** Of the whole line, after discounts; undefined if it follows from the price. */
  amount?: Decimal
}

export interface SourceOrders {
  orders: SourceOrder[]
  problems: RowProblem[]
  /** Orders that the file says were cancelled, refunded or never placed: they are not imported. */
  cancelled: number
}

/** States of an order in shop exports that are no order to fulfil. */
const endedStates = new Set(['cancelled', 'canceled', 'refunded', 'failed', 'trash', 'draft', 'checkout-draft'])

/**
 * Reads a table with one row per order line. Fields of the order may be missing in all rows but one, and so may its number
 * in the rows after its first. Orders with a bad row are left out; the problems say why.
 * @throws TallyError USAGE when the file cannot be read or lacks a column
 */
export function readOrders(
  path: string,
  columns: Columns = presets.northwind,
  notations?: TableNotations,
): SourceOrders {
  const required = (['order', 'customer', 'sku', 'quantity', 'price', 'amount'] as const).flatMap((field) =>
    columns[field] ? [columns[field]] : [],
  )
  const { rows, problems } = readCsv(path, required, notations)
  const orders = new Map<string, CsvRow[]>()
  let previous: CsvRow[] | undefined
  for (const row of rows) {
    const [number, column] = row.first(columns.order)
    const continues = number === '' && previous && orderFields.every((field) => row.first(columns[field])[0] === '')
    if (continues) previous?.push(row)
    else if (number === '') row.problem(column, 'is empty')
    else {
      previous = orders.get(number) ?? []
      previous.push(row)
      orders.set(number, previous)
    }
  }
  const all = [...orders].map(([number, its]) => ({ rows: its, order: orderOf(number, its, columns) }))
  const badLines = new Set(problems.map(({ line }) => line))
  const good = all.filter(({ rows: its }) => !its.some(({ line }) => badLines.has(line)))
  const kept = good.filter(({ order }) => order !== undefined)
  return { orders: kept.map(({ order }) => order as SourceOrder), problems, cancelled: good.length - kept.length }
}

/** @returns undefined for a cancelled order */
function orderOf(orderNumber: string, rows: readonly CsvRow[], columns: Columns): SourceOrder | undefined {
  const [first] = rows as [CsvRow]
  const field = (name: Field): [text: string, row: CsvRow, column: string] => carried(rows, name, columns[name])
  const text = (name: Field) => field(name)[0]
  const state = text('status').toLowerCase().replace(/^wc-/, '')
  const ended = text('cancelledAt') !== '' || endedStates.has(state)
  const [customerId, , customerColumn] = field('customer')
  if (customerId === '' && !ended) first.problem(customerColumn, 'is empty')
  const [, timeRow, timeColumn] = field('placedAt')
  const order: SourceOrder = {
    orderNumber,
    file: first.file,
    line: first.line,
    customerId,
    currency: text('currency') || undefined,
    placedAt: (timeColumn === '' ? null : timeRow.time(timeColumn)) ?? null,
    shipTo: {
      recipient: text('recipient'),
      street: text('street'),
      city: text('city'),
      postalCode: text('postalCode').replace(/^'/, ''), // Spreadsheets' mark of a text
      country: text('country'),
    },
    lines: rows.flatMap((row) => lineOf(row, columns) ?? []),
  }
  return ended ? undefined : order
}

/** What customers say of themselves is in no error. */
const personal: ReadonlySet<Field> = new Set(['recipient', 'street', 'city', 'postalCode', 'country'])

/** The value of an order's field: that of its first row that has one. The other rows must agree or be empty. */
function carried(
  rows: readonly CsvRow[],
  field: Field,
  names: readonly string[] | undefined,
): [string, CsvRow, string] {
  const [first] = rows as [CsvRow]
  const known = rows.find((row) => row.first(names)[0] !== '') ?? first
  const [value, column] = known.first(names)
  for (const row of rows) {
    const [other, otherColumn] = row.first(names)
    if (other === '' || other === value) continue
    const cause = 'differs from an earlier row of the same order'
    const said = personal.has(field)
      ? `differs from line ${known.line} of the same order`
      : `"${other}", but line ${known.line} of the same order says "${value}"`
    row.problem(otherColumn, said, cause)
  }
  return [value, known, column]
}

function lineOf(row: CsvRow, columns: Columns): SourceLine | undefined {
  const column = (name: Field) => row.first(columns[name])[1]
  const optional = (name: Field) =>
    columns[name] && row.first(columns[name])[0] !== '' ? row.decimal(column(name)) : zero
  const sku = row.requiredText(column('sku'))
  const quantity = row.integer(column('quantity'), 1, limits.quantity)
  const amount = columns.amount && row.decimal(column('amount'))
  const unitPrice = columns.price && row.decimal(column('price'))
  const discount = columns.discount ? row.share(column('discount')) : zero
  const discountAmount = optional('discountAmount')
  if (!sku || !quantity || !discount || !discountAmount || !(amount ?? unitPrice)) return undefined
  return { line: row.line, sku, quantity, unitPrice, discount, discountAmount, amount }
}
