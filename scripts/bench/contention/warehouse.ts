import { readFileSync } from 'node:fs'
import { consumerMigrations, schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { maintainInbox } from '../../../consumers/runtime/tables/inbox/partitions.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { seededRandom } from '../../../producers/sample-data/seeded.ts'
import type { OrderLine } from '../../../schemas/generated/events.ts'
import type { Ground } from '../benchmark.ts'
import { countTopic } from '../count-topic.ts'
import { assertCount, seed } from '../fill-orders.ts'

const articles = 100_000
const hot = 'HOT'
const plenty = 1_000_000_000

/** Two articles per order: the hot one in `percentHot` % of the orders, all others at random. */
export function linesWith(percentHot: number): (index: number) => OrderLine[] {
  return (index) => {
    const random = seededRandom('contention', seed, index)
    const rare = () => Math.floor((random.next() * articles) / 2) * 2
    const first = isHot(index, percentHot) ? hot : skuOf(rare())
    return [first, skuOf(rare() + 1)].map((sku) => ({ sku, quantity: 1, unitPriceMinor: 500, amountMinor: 500 }))
  }
}

/** Spread evenly, so that each lane has the same share of hot orders. */
const isHot = (index: number, percent: number): boolean => (index * 61) % 100 < percent
const skuOf = (article: number): string => `A-${String(article).padStart(6, '0')}`

/** Creates the schema of inventory. @returns its name */
export async function prepareInventory({ config, namespace, log }: Sandbox): Promise<string> {
  const schema = schemaName(namespace, 'inventory')
  const { url } = config.postgres
  await migrate({ url, schema, folders: consumerMigrations('inventory'), log })
  const pool = createPool({ url, schema, name: 'prepare', max: 1, log })
  try {
    await maintainInbox(pool)
  } finally {
    await pool.end()
  }
  return schema
}

/** Creates the stock tables of inventory in the schema of a peer. */
export async function prepareGoods({ pool }: Sandbox, schema: string): Promise<void> {
  const own = consumerMigrations('inventory').find(({ name }) => name === 'own')
  const sql = readFileSync(`${own?.path}/001_inventory.sql`, 'utf8')
  await pool.query(`set search_path = ${schema}; ${sql}; reset search_path`)
}

/** Stocks more of every article than can be ordered. */
export async function stockUp({ pool }: Sandbox, schema: string): Promise<void> {
  const skus = [hot, ...Array.from({ length: articles }, (_, article) => skuOf(article))]
  await pool.query(
    `insert into ${schema}.stock select sku, ${plenty}, 0, 0, ${plenty} from unnest($1::text[]) as sku`,
    [skus],
  )
  await pool.query(`vacuum (analyze) ${schema}.stock`)
}

/** @throws TallyError INVARIANT unless the articles of each order were reserved once */
export async function assertReserved(
  { sandbox, events, signal }: Ground,
  schema: string,
  percentHot: number,
): Promise<void> {
  const { rows } = await sandbox.pool.query<Record<'ids' | 'orders' | 'units' | 'hot', string>>(
    `select (select count(*) from ${schema}.inbox) as ids, (select count(*) from ${schema}.reservation) as orders,
       sum(reserved) as units, sum(reserved) filter (where sku = $1) as hot from ${schema}.stock`,
    [hot],
  )
  const hotOrders = Array.from({ length: events }, (_, index) => isHot(index, percentHot)).filter(Boolean).length
  assertCount('ids in the inbox', Number(rows[0]?.ids), events)
  assertCount('reservations', Number(rows[0]?.orders), events)
  assertCount('units reserved', Number(rows[0]?.units), 2 * events)
  assertCount('units of the hot article reserved', Number(rows[0]?.hot), hotOrders)
  const { records, ids } = await countTopic(sandbox, 'inventory', signal)
  assertCount('records published', records, events)
  assertCount('different ids published', ids, events)
}

/** Deadlocks that PostgreSQL has counted so far. */
export async function deadlocks({ pool }: Sandbox): Promise<number> {
  const { rows } = await pool.query<{ deadlocks: string }>(
    'select deadlocks from pg_stat_database where datname = current_database()',
  )
  return Number(rows[0]?.deadlocks)
}
