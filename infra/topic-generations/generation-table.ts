import { join } from 'node:path'
import type { Config } from '../config.ts'
import { migrate } from '../postgres/migrate.ts'
import type { Tx } from '../postgres/transaction.ts'
import type { Logger } from '../logger.ts'

/**
 * A generation of the topics. The partition count of a topic is never changed in place, which would give keys to other
 * lanes: new topics are made, and all services switch to them in one transaction (`scripts/partitions`).
 */
export interface Generation {
  readonly number: number
  readonly partitions: number
}

/** Database schema that keeps the generations of a namespace. */
export const generationSchema = (namespace: string): string => `${namespace}generations`

/** Creates or migrates the table of the generations. */
export const migrateGenerations = ({ namespace, postgres }: Config, log: Logger): Promise<void> =>
  migrate({
    url: postgres.url,
    schema: generationSchema(namespace),
    folders: [{ name: 'generations', path: join(import.meta.dirname, 'sql') }],
    log,
  })

/** The table's name, for connections that see other schemas. */
export const generationTable = (namespace: string): string => `"${generationSchema(namespace)}".generation`

/**
 * All generations there have been, the current one last; none before the first deployment. Whether there is a table is asked
 * first: to run into its absence would fail the transaction this may be part of.
 */
export async function readGenerations(tx: Tx, namespace: string): Promise<Generation[]> {
  const table = generationTable(namespace)
  if ((await tx.query('select where to_regclass($1) is not null', [table])).rows.length === 0) return []
  const text = `select number, partitions from ${table} where switched_at is not null order by number`
  return (await tx.query<Generation>({ name: 'generations', text })).rows
}

/** The generation all services are to use; undefined before the first deployment. */
export const readCurrent = async (tx: Tx, namespace: string): Promise<Generation | undefined> =>
  (await readGenerations(tx, namespace)).at(-1)

/** Notes the first generation, where there is none. */
export async function beginFirst(tx: Tx, namespace: string, partitions: number): Promise<void> {
  await tx.query(
    `insert into ${generationTable(namespace)} (number, partitions, actor, switched_at)
     values (1, $1, 'npm run deploy', now()) on conflict do nothing`,
    [partitions],
  )
}
