import { join } from 'node:path'
import type { Config } from '../config.ts'
import { migrate } from '../postgres/migrate.ts'
import type { Tx } from '../postgres/transaction.ts'
import type { Logger } from '../logger.ts'

/**
 * A generation of the topics. The partition count of a topic never changes in place, because keys would move to other lanes:
 * new topics are created, and all services switch to them in one transaction (`consumers/operations/partitions`).
 */
export interface Generation {
  readonly number: number
  readonly partitions: number
}

/** Database schema with the generations of a namespace. */
export const generationSchema = (namespace: string): string => `${namespace}generations`

/** That schema and its folder of SQL. */
export const generationMigrations = (namespace: string) => ({
  schema: generationSchema(namespace),
  folders: [{ name: 'generations', path: join(import.meta.dirname, 'sql') }],
})

/** Creates or migrates the table of the generations. */
export const migrateGenerations = ({ namespace, postgres }: Config, log: Logger): Promise<void> =>
  migrate({ url: postgres.url, ...generationMigrations(namespace), log })

/** Qualified name of the table, for connections with another search path. */
export const generationTable = (namespace: string): string => `"${generationSchema(namespace)}".generation`

/**
 * All generations, the current one last; empty before the first deployment. Checks first that the table exists, because a
 * failed statement would abort the caller's transaction.
 */
export async function readGenerations(tx: Tx, namespace: string): Promise<Generation[]> {
  const table = generationTable(namespace)
  if ((await tx.query('select where to_regclass($1) is not null', [table])).rows.length === 0) return []
  const text = `select number, partitions from ${table} where switched_at is not null order by number`
  return (await tx.query<Generation>({ name: 'generations', text })).rows
}

/** The current generation; undefined before the first deployment. */
export const readCurrent = async (tx: Tx, namespace: string): Promise<Generation | undefined> =>
  (await readGenerations(tx, namespace)).at(-1)

/** Inserts the first generation if there is none. */
export async function beginFirst(tx: Tx, namespace: string, partitions: number): Promise<void> {
  await tx.query(
    `insert into ${generationTable(namespace)} (number, partitions, actor, switched_at)
     values (1, $1, 'npm run deploy', now()) on conflict do nothing`,
    [partitions],
  )
}
