import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { hasSqlState } from '../../../infra/postgres/sqlstates.ts'
import { query, stockPage } from '../http/contract.ts'
import type { StockLevel } from '../http/contract.ts'
import { operation } from '../http/operation.ts'
import type { Operation } from '../http/operation.ts'
import { pageBySku } from '../http/page-by-sku.ts'
import { reachDatabase } from '../reach-database.ts'

/**
 * Reads what is on hand, in order of SKU. Articles that were never delivered are absent.
 * @throws TallyError UNREACHABLE when the database does not answer
 */
export type ReadStock = (after: string, limit: number) => Promise<StockLevel[]>

/** Shops ask every few seconds: for so long one reading is good for all of them, ms. */
const sharedMs = 500
/** Pages of which a reading is kept. */
const maxPages = 100

/**
 * Stock as inventory's own table has it, which is only read. It is a moment's view: an order gets its units, or is
 * rejected, when inventory handles it.
 * @param pool may read the schema of inventory
 */
export function createStockReader(pool: Pick<Pool, 'query'>, namespace: string): ReadStock {
  const table = `${quoteIdentifier(`${namespace}inventory`)}.stock`
  const read: ReadStock = async (after, limit) => {
    try {
      const { rows } = await pool.query<StockLevel>(
        `select sku, on_hand::text as "onHand" from ${table} where sku > $1 order by sku limit $2`,
        [after, limit],
      )
      return rows
    } catch (error) {
      if (hasSqlState(error, 'undefinedTable')) return [] // Inventory is not deployed yet
      throw error
    }
  }
  return shared((after, limit) => reachDatabase(() => read(after, limit)))
}

/** Lets equal requests share one reading, however many there are. A failure is shared only by those who wait for it. */
export function shared(read: ReadStock, now: () => number = () => performance.now()): ReadStock {
  const readings = new Map<string, { levels: Promise<StockLevel[]>; until: number }>()
  return (after, limit) => {
    const page = JSON.stringify([after, limit])
    const known = readings.get(page)
    if (known && now() < known.until) return known.levels
    if (readings.size >= maxPages) readings.clear()
    const reading = { levels: read(after, limit), until: Infinity }
    readings.set(page, reading)
    reading.levels.then(
      () => (reading.until = now() + sharedMs),
      () => readings.get(page) === reading && readings.delete(page),
    )
    return reading.levels
  }
}

/** What can be ordered at the moment. */
export const stockOperations = (read: ReadStock): Operation[] => [
  operation({
    method: 'get',
    access: 'any',
    path: '/stock',
    id: 'listStock',
    summary: 'List what is on hand in order of SKU',
    description: 'Up to half a second old. Articles that were never delivered are absent.',
    request: { query: query.page },
    answers: { 200: { description: 'A page', body: stockPage } },
    handle: ({ query: page }) => pageBySku(read, page),
  }),
]
