import { join } from 'node:path'

/** Folders of SQL that make up the schema of the orders API, in order. */
export const ordersMigrations: readonly { name: string; path: string }[] = [
  { name: 'outbox', path: join(import.meta.dirname, '../outbox/sql') },
  { name: 'own', path: join(import.meta.dirname, 'sql') },
]

/** Database schema of the orders API. */
export const ordersSchema = (namespace: string): string => `${namespace}orders`
