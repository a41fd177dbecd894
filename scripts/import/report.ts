import { printable } from '../../infra/text/printable.ts'
import type { Comparison } from '../../producers/import/compare-orders.ts'
import type { RowProblem } from '../../producers/import/csv-table.ts'
import type { Delivery } from '../../producers/import/import-book.ts'
import type { ImportPlan } from '../../producers/import/plan-import.ts'
import { count, firstOf } from '../cli/figures.ts'
import type { Report } from '../cli/report.ts'

export interface ImportResult {
  plan: ImportPlan
  /** Against earlier imports; undefined if they could not be read. */
  comparison?: Comparison
  deliveries: readonly Delivery[]
  imported: boolean
  skipBad: boolean
  skipChanged: boolean
}

const problemsShown = 20
const examplesShown = 3

const sum = (values: readonly number[]) => values.reduce((total, value) => total + BigInt(value), 0n)

/** Figures of an import; amounts are minor units by currency. */
export function totalsOf({ plan, comparison, deliveries }: ImportResult) {
  const { products, orders, problems, cancelled } = plan
  const fresh = comparison?.fresh ?? orders
  const lines = fresh.flatMap(({ event }) => event.data.lines)
  const byCurrency = Map.groupBy(fresh, ({ event }) => event.data.currency)
  return {
    products: products.length,
    stockUnits: sum(deliveries.map(({ data }) => data.quantity)),
    orders: fresh.length,
    unchanged: comparison?.unchanged.length ?? 0,
    changed: new Set(comparison?.changes.map(({ orderNumber }) => orderNumber)).size,
    cancelled,
    lines: lines.length,
    units: sum(lines.map(({ quantity }) => quantity)),
    amountMinor: Object.fromEntries(
      [...byCurrency].map(([currency, its]) => [currency, sum(its.map(({ event }) => event.data.totalMinor))]),
    ),
    badRows: new Set(problems.map(({ file, line }) => `${file} ${line}`)).size,
  }
}

/** Which order of the file has which order id, and what became of it. */
export const orderIdsOf = ({ plan, comparison }: ImportResult) => {
  const changed = new Map(comparison?.changes.map(({ orderNumber, orderId }) => [orderNumber, orderId]))
  const unchanged = new Set(comparison?.unchanged.map(({ orderNumber }) => orderNumber))
  return plan.orders.map(({ source, orderNumber, event }) => ({
    source,
    orderNumber,
    orderId: event.data.orderId,
    state: changed.has(orderNumber) ? 'changed' : unchanged.has(orderNumber) ? 'unchanged' : 'new',
  }))
}

/** Rows that cannot be read, once per cause with a count and examples. */
export function causesOf(problems: readonly RowProblem[]): string[] {
  const groups = Map.groupBy(problems, ({ file, column, message, cause }) =>
    JSON.stringify([file, column, cause ?? message]),
  )
  return [...groups.values()].map((rows) => {
    const { file, line, column, message, cause } = rows[0]!
    if (rows.length === 1) return printable(`${file} line ${line}${column ? `, ${column}` : ''}: ${message}`)
    const examples = rows
      .slice(0, examplesShown)
      .map((row) => `line ${row.line}${row.cause ? ` (${row.message})` : ''}`)
    const more = rows.length > examplesShown ? ', …' : ''
    return printable(
      `${file}${column ? `, ${column}` : ''}: ${cause ?? message} in ${count(rows.length, 'row')}: ${examples.join(', ')}${more}`,
    )
  })
}

/** What was imported, or would be, what changed since, and why rows are bad. */
export function importReport(result: ImportResult): Report {
  const { plan, comparison, imported, skipBad, skipChanged } = result
  const totals = totalsOf(result)
  const figures = `${count(totals.products, 'product')} and ${count(totals.orders, 'order')}`
  const reasons = [
    ...(totals.badRows > 0 && !skipBad
      ? [`${count(totals.badRows, 'bad row')}: correct them, or add --skip-bad to import the rest`]
      : []),
    ...(totals.changed > 0 && !skipChanged
      ? [
          `${count(totals.changed, 'order')} changed since the first import: add --changed skip to leave them as they are and import the rest`,
        ]
      : []),
  ]
  const changes = (comparison?.changes ?? []).map(({ file, line, orderNumber, field, was, is }) =>
    printable(`${file} line ${line}, order ${orderNumber}: ${field} was ${was}, is ${is}`),
  )
  return {
    verdict: imported
      ? `Imported ${figures}; ${count(totals.unchanged, 'order')} had been imported before.`
      : reasons.length > 0
        ? `Nothing was imported. ${reasons.join('. ')}.`
        : `Dry run: ${figures} would be imported${comparison ? '' : ' (not compared with earlier imports: the database does not answer)'}.`,
    parts: [
      {
        head: ['', 'count'],
        rows: [
          ['products', totals.products],
          ['units of stock', totals.stockUnits],
          ['new orders', totals.orders],
          ['unchanged orders', totals.unchanged],
          ['changed orders', totals.changed],
          ['cancelled orders, left out', totals.cancelled],
          ['order lines', totals.lines],
          ['units ordered', totals.units],
          ...Object.entries(totals.amountMinor).map(
            ([currency, amount]) => [`amount in minor units of ${currency}`, amount] as [string, bigint],
          ),
          ['bad rows', totals.badRows],
        ],
      },
      firstOf(changes, problemsShown).join('\n'),
      firstOf(causesOf(plan.problems), problemsShown).join('\n'),
    ],
    next: imported ? 'npm run verify' : undefined,
  }
}
