import type { Pool } from '../../../infra/postgres/pool.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Product } from '../http/contract.ts'
import { gather } from '../../../infra/linger/gather.ts'
import { reachDatabase } from '../reach-database.ts'

export interface Catalogue {
  /** The existing articles by SKU. All methods throw TallyError UNREACHABLE when the database does not answer. */
  find(skus: readonly string[]): Promise<ReadonlyMap<string, Product>>
  /** In order of SKU. */
  list(after: string, limit: number): Promise<Product[]>
  put(product: Product): Promise<void>
}

const columns = 'sku, name, unit_price_minor::text as "unitPriceMinor", currency'

const find = prepared<Product>('product_find', `select ${columns} from product where sku = any($1)`)

const list = prepared<Product>('product_list', `select ${columns} from product where sku > $1 order by sku limit $2`)

const put = prepared(
  'product_put',
  `insert into product (sku, name, unit_price_minor, currency) values ($1, $2, $3, $4)
   on conflict (sku) do update
     set name = excluded.name, unit_price_minor = excluded.unit_price_minor, currency = excluded.currency, updated_at = now()`,
)

/** Reads the table, never a copy that may be stale; lookups of concurrent orders share one query. */
export function createCatalogue(pool: Pool): Catalogue {
  const lookups = gather(async (requests: (readonly string[])[]) => {
    const products = await reachDatabase(() => find(pool, [...new Set(requests.flat())]))
    const bySku = new Map(products.map((product) => [product.sku, product]))
    return requests.map(() => bySku)
  })
  return {
    find: (skus) => lookups.add(skus),
    list: (after, limit) => reachDatabase(() => list(pool, after, limit)),
    put: async ({ sku, name, unitPriceMinor, currency }) => {
      await reachDatabase(() => put(pool, sku, name, unitPriceMinor, currency))
    },
  }
}
