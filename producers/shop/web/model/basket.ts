import type { Product } from '../../../orders-api/http/contract.ts'

/** How many units of which article; prices and names are those of the catalogue at the moment. */
export type Basket = Readonly<Record<string, number>>

/** An order has no more, as the orders API checks. */
export const limits = { quantity: 10_000, lines: 100 } as const

export interface BasketLine {
  readonly sku: string
  readonly quantity: number
  /** Undefined if the article has left the catalogue. */
  readonly product: Product | undefined
}

export function withQuantity(basket: Basket, sku: string, quantity: number): Basket {
  const { [sku]: _, ...others } = basket
  if (!(quantity >= 1)) return others
  const isFull = !(sku in basket) && Object.keys(basket).length >= limits.lines
  return isFull ? basket : { ...basket, [sku]: Math.min(Math.trunc(quantity), limits.quantity) }
}

export const withMore = (basket: Basket, sku: string, more: number): Basket =>
  withQuantity(basket, sku, (basket[sku] ?? 0) + more)

export const unitsIn = (basket: Basket): number => Object.values(basket).reduce((sum, quantity) => sum + quantity, 0)

export const linesOf = (basket: Basket, products: ReadonlyMap<string, Product>): BasketLine[] =>
  Object.entries(basket).map(([sku, quantity]) => ({ sku, quantity, product: products.get(sku) }))

/** Price of a number of units, minor units as text: the amount may exceed what a JavaScript number holds exactly. */
export const amountOf = (unitPriceMinor: string, quantity: number): string =>
  String(BigInt(unitPriceMinor) * BigInt(quantity))

/** What the articles cost, by currency, minor units as text. Those that have left the catalogue cost nothing. */
export function totalsOf(lines: readonly BasketLine[]): { currency: string; totalMinor: string }[] {
  const totals = new Map<string, bigint>()
  for (const { product, quantity } of lines)
    if (product)
      totals.set(
        product.currency,
        (totals.get(product.currency) ?? 0n) + BigInt(product.unitPriceMinor) * BigInt(quantity),
      )
  return [...totals].map(([currency, total]) => ({ currency, totalMinor: String(total) }))
}
