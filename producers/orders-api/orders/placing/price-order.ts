import type { OrderLine } from '../../../../schemas/generated/events.ts'
import type { NewOrder, Product } from '../../http/contract.ts'
import type { FieldError } from '../../http/reply.ts'

export type Priced =
  | { lines: OrderLine[]; totalMinor: number; errors?: undefined }
  | { errors: readonly FieldError[]; lines?: undefined; totalMinor?: undefined }

/** Prices an order from the catalogue; pure. Reports all faults at once. */
export function priceOrder(order: NewOrder, products: ReadonlyMap<string, Product>): Priced {
  const errors: FieldError[] = []
  const firstLine = new Map<string, number>()
  const lines: OrderLine[] = []
  for (const [index, { sku, quantity }] of order.lines.entries()) {
    const product = products.get(sku)
    const first = firstLine.get(sku)
    const refuse = (message: string) => errors.push({ path: `/lines/${index}/sku`, message })
    if (first !== undefined) refuse(`repeats the article of line ${first + 1}`)
    else if (!product) refuse('is not in the catalogue')
    else if (product.currency !== order.currency) refuse(`is sold in ${product.currency}, not in ${order.currency}`)
    else {
      const unitPriceMinor = Number(product.unitPriceMinor)
      lines.push({ sku, quantity, unitPriceMinor, amountMinor: unitPriceMinor * quantity })
    }
    firstLine.set(sku, first ?? index)
  }
  if (errors.length > 0) return { errors }
  return { lines, totalMinor: lines.reduce((total, { amountMinor }) => total + amountMinor, 0) }
}
