import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../infra/config.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Logger } from '../../infra/logger.ts'
import { createCatalogue } from '../../producers/orders-api/orders/catalogue.ts'
import { demoCatalogue } from '../../producers/sample-data/demo-catalogue.ts'
import { fillWarehouse } from './fill-warehouse.ts'

/** Of the demo without `--seed`: its deliveries have the same ids, so they add no stock to these. */
const seed = 1

export interface FirstCatalogue {
  config: Config
  log: Logger
  signal: AbortSignal
}

/**
 * Gives a new embedded stack the demo's catalogue and stock, so that the first order of a newcomer is accepted. Once per
 * data folder; one that was interrupted is completed by the next start. A catalogue that has articles stays as it is.
 * @returns the number of articles added; undefined if this is not for that stack, or was done before
 * @throws errors of PostgreSQL and Kafka; of `signal` if inventory does not process the deliveries
 */
export async function addFirstCatalogue({ config, log, signal }: FirstCatalogue): Promise<number | undefined> {
  const { postgres, kafka, registry, dataDir, namespace } = config
  if (!postgres.embedded || !kafka.embedded || !registry.embedded) return undefined
  const marker = join(dataDir, 'first-catalogue')
  const before = stateIn(marker)
  if (before === 'done') return undefined
  const pool = createPool({ url: postgres.url, schema: `${namespace}orders`, name: 'first-catalogue', max: 2, log })
  try {
    const catalogue = createCatalogue(pool)
    if (before === undefined && (await catalogue.list('', 1)).length > 0) {
      writeFileSync(marker, 'done')
      return undefined
    }
    writeFileSync(marker, 'begun')
    const articles = demoCatalogue(seed)
    for (const { sku, name, unitPriceMinor, currency } of articles)
      await catalogue.put({ sku, name, unitPriceMinor: String(unitPriceMinor), currency })
    await fillWarehouse({ config, pool, articles, seed, log, signal })
    writeFileSync(marker, 'done')
    return articles.length
  } finally {
    await pool.end()
  }
}

function stateIn(marker: string): string | undefined {
  try {
    return readFileSync(marker, 'utf8')
  } catch {
    return undefined
  }
}
