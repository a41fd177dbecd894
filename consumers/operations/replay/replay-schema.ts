import { join } from 'node:path'
import type { Config } from '../../../infra/config.ts'
import { migrate } from '../../../infra/postgres/migrate.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Logger } from '../../../infra/logger.ts'
import { schemaName } from '../../runtime/load-consumer.ts'

/** The database schema of a namespace's replays. */
export const replaySchema = (namespace: string): string => schemaName(namespace, 'replay')

/** Creates or migrates the tables of the replays. */
export const migrateReplays = ({ namespace, postgres }: Config, log: Logger): Promise<void> =>
  migrate({
    url: postgres.url,
    schema: replaySchema(namespace),
    folders: [{ name: 'replay', path: join(import.meta.dirname, 'sql') }],
    log,
  })

/**
 * Connections that see the tables of a schema (a group's, or those a rebuild fills aside) and then those of the replays, so
 * that effects and progress are one transaction. Replays wait longer and idle longer in transactions than replicas do.
 */
export const openReplayPool = ({ namespace, postgres }: Config, log: Logger, schema?: string): Pool =>
  createPool({
    url: postgres.url,
    schema: [...(schema === undefined ? [] : [schema]), replaySchema(namespace)].join(','),
    name: 'tally-replay',
    idleInTransactionMs: 10_000,
    log,
  })
