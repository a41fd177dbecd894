import type { Product, StockLevel } from '../../../orders-api/http/contract.ts'
import { ask } from './ask.ts'
import { Source } from './reading.ts'

interface Page<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

const pageSize = 500
/** A larger catalogue is not for a page that searches in the browser. */
const maxPages = 4
const stockEveryMs = 3_000

async function readPages<Item>(path: string, signal: AbortSignal, onPage: (items: readonly Item[]) => void) {
  let after: string | null = ''
  for (let page = 0; page < maxPages && after !== null; page++) {
    const query: string = after === '' ? '' : `&after=${encodeURIComponent(after)}`
    const { items, next }: Page<Item> = await ask<Page<Item>>(`${path}?limit=${pageSize}${query}`, { signal })
    onPage(items)
    after = next
  }
}

/** The articles by SKU. */
export const catalogue = new Source<ReadonlyMap<string, Product>>(async (signal, show) => {
  let products = new Map<string, Product>()
  await readPages<Product>('/products', signal, (items) => {
    products = new Map([...products, ...items.map((product) => [product.sku, product] as const)])
    show(products)
  })
  return products
})

/** Units on hand by SKU, int64 as text. */
export const stock = new Source<ReadonlyMap<string, string>>(async (signal) => {
  const levels = new Map<string, string>()
  await readPages<StockLevel>('/stock', signal, (items) => {
    for (const { sku, onHand } of items) levels.set(sku, onHand)
  })
  return levels
}, stockEveryMs)
