import { randomBytes } from 'node:crypto'
import { quoteIdentifier } from '../../postgres/identifiers.ts'
import type { Pool } from '../../postgres/pool.ts'
import { prepared } from '../../postgres/transaction.ts'
import type { Tx } from '../../postgres/transaction.ts'

/** A stored key. */
export interface StoredKey {
  readonly id: number
  readonly customerId: string
  /** Null once the customer is forgotten. */
  readonly key: Buffer | null
}

export type LiveKey = StoredKey & { readonly key: Buffer }

/** The keys of customers, a table of the orders API that other services read: so its statements name its schema. */
export interface KeyTable {
  /** The live key of each of these customers; one without gets one. */
  ensure(pool: Pool, customerIds: readonly string[]): Promise<Map<string, LiveKey>>
  /** Keys by id, erased ones included. */
  read(pool: Pool, ids: readonly number[]): Promise<Map<number, StoredKey>>
  /**
   * Keeps keys from being erased until the transaction ends. Does not wait: a key that is being erased is not held.
   * @returns the ids of those held
   */
  hold(tx: Tx, ids: readonly number[]): Promise<Set<number>>
}

/** @param schema of the orders API */
export function keyTable(schema: string): KeyTable {
  const table = `${quoteIdentifier(schema)}.customer_key`
  const columns = 'id, customer_id as "customerId", key'
  const find = prepared<{ [K in keyof LiveKey]: LiveKey[K] }>(
    'customer_key_find',
    `select ${columns} from ${table} where customer_id = any($1::text[]) and key is not null`,
  )
  const add = prepared<{ [K in keyof StoredKey]: StoredKey[K] }>(
    'customer_key_add',
    `insert into ${table} (customer_id, key) select * from unnest($1::text[], $2::bytea[])
     on conflict (customer_id) where key is not null do nothing returning ${columns}`,
  )
  const read = prepared<{ [K in keyof StoredKey]: StoredKey[K] }>(
    'customer_key_read',
    `select ${columns} from ${table} where id = any($1::bigint[])`,
  )
  const hold = prepared<{ id: number }>(
    'customer_key_hold',
    `select id from ${table} where id = any($1::bigint[]) and key is not null for share skip locked`,
  )
  const ensure: KeyTable['ensure'] = async (pool, customerIds) => {
    const found = new Map((await find(pool, customerIds)).map((row) => [row.customerId, row]))
    // In one fixed order: two processes that add the same keys may wait for each other, but never deadlock
    const missing = [...new Set(customerIds)].filter((id) => !found.has(id)).sort()
    if (missing.length === 0) return found
    const added = await add(
      pool,
      missing,
      missing.map(() => randomBytes(32)),
    )
    for (const { key, ...row } of added) if (key) found.set(row.customerId, { ...row, key })
    // Others were faster. Not only read again: a key that was erased meanwhile is missing again
    const left = missing.filter((id) => !found.has(id))
    return left.length === 0 ? found : new Map([...found, ...(await ensure(pool, left))])
  }
  return {
    ensure,
    read: async (pool, ids) => new Map((await read(pool, ids)).map((row) => [row.id, row])),
    hold: async (tx, ids) => new Set((await hold(tx, ids)).map(({ id }) => id)),
  }
}
