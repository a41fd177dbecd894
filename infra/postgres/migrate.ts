import { runner } from 'node-pg-migrate'
import pg from 'pg'
import type { Logger } from '../logger.ts'

/**
 * Brings one database schema up to date from folders of plain SQL files (`001_name.sql`), in folder order.
 * Files name no schema; each folder keeps its own list of what was applied. Safe to run by several processes at once.
 */
export async function migrate({ url, schema, folders, log }: MigrateOptions): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: `migrate ${schema}` })
  await client.connect()
  try {
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
