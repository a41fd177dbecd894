import { runner } from 'node-pg-migrate'
import pg from 'pg'
import type { Logger } from '../logger.ts'
import { prepareSession } from './session.ts'

/**
 * Migrates one database schema with the SQL files (`001_name.sql`) of these folders, in folder order. The files name no
 * schema; each folder has its own table of applied files. Several processes may run this at once.
 */
export async function migrate({ url, schema, folders, log }: MigrateOptions): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: `migrate ${schema}` })
  await client.connect()
  try {
    const limits = { name: `migrate ${schema}`, statementMs: 0, lockMs: 0, idleInTransactionMs: 0 }
    await prepareSession(client, undefined, limits, 20_000)
    for (const { name, path } of folders) {
      await runner({
        dbClient: client,
        dir: path,
        direction: 'up',
        schema,
        createSchema: true,
        migrationsTable: `migration_${name}`,
        checkOrder: true,
        advisoryLockMode: 'wait',
        logger: { info: () => {}, debug: () => {}, warn: (text) => log.warn(text), error: (text) => log.error(text) },
      })
    }
  } finally {
    await client.end()
  }
}

export interface MigrateOptions {
  url: string
  schema: string
  /** `name` identifies the folder in the database and must never change. */
  folders: readonly { name: string; path: string }[]
  log: Logger
}
