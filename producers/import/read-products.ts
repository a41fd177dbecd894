import { readCsv } from './csv-table.ts'
import type { RowProblem } from './csv-table.ts'
import type { Decimal } from './decimal.ts'

export interface SourceProduct {
  file: string
  line: number
  sku: string
  name: string
  unitPrice: Decimal
  unitsInStock: number
}

export interface SourceProducts {
  products: SourceProduct[]
  problems: RowProblem[]
}

/**
 * Reads a CSV file with one row per product.
 * @throws TallyError USAGE when the file cannot be read or lacks a column
 */
export function readProducts(path: string): SourceProducts {
  const { rows, problems } = readCsv(
    path,
    ['ProductID', 'ProductName', 'UnitPrice', 'UnitsInStock'].map((column) => [column]),
  )
  const products = new Map<string, SourceProduct>()
  for (const row of rows) {
    const sku = row.requiredText('ProductID')
    const name = row.requiredText('ProductName')
    const unitPrice = row.decimal('UnitPrice')
    const unitsInStock = row.integer('UnitsInStock', 0, Number.MAX_SAFE_INTEGER)
    if (!sku || !name || !unitPrice || unitsInStock === undefined) continue
    const twin = products.get(sku)
    if (twin) row.problem('ProductID', `${sku} occurs already, on line ${twin.line}`)
    else products.set(sku, { file: row.file, line: row.line, sku, name, unitPrice, unitsInStock })
  }
  return { products: [...products.values()], problems }
}
