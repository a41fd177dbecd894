import { migrate } from '../../infra/postgres/migrate.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import { consumerMigrations, schemaName } from '../runtime/load-consumer.ts'

export interface Tables extends AsyncDisposable {
  /** Connections whose search path is the consumer's schema. */
  readonly pool: Pool
}

/** A consumer's tables in their own schema. */
export async function openTables(group: string): Promise<Tables> {
  const { config, namespace, log, close } = createSandbox()
  const schema = schemaName(namespace, group)
  await migrate({ url: config.postgres.url, schema, folders: consumerMigrations(group), log })
  const pool = createPool({ url: config.postgres.url, schema, name: schema, log })
  return {
    pool,
    async [Symbol.asyncDispose]() {
      await pool.end()
      await close()
    },
  }
}
