import { environmentWith } from '../config.ts'
import type { Config } from '../config.ts'
import { TallyError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createPool } from '../postgres/pool.ts'
import { checkMigrations } from './check-migrations.ts'
import type { Migrated } from './check-migrations.ts'
import { checkServer } from './check-server.ts'
import { checkSettings } from './check-settings.ts'
import type { Finding } from './finding.ts'

/**
 * The part of the doctor's work that concerns one service, before it takes on anything: logs what may do harm later, and
 * refuses what would leave it half-started. A newer database is none of that: a rolling restart runs both versions.
 * @throws TallyError NOT_DEPLOYED if its tables are older than its code; errors of pg if the database does not answer
 */
export async function checkAtStart(migrated: Migrated, config: Config, log: Logger): Promise<void> {
  const tell = ({ problem, cure }: Finding) => log.warn({ cure }, problem)
  checkSettings(environmentWith({})).findings.forEach(tell)
  const pool = createPool({ url: config.postgres.url, name: `${migrated.schema} start`, max: 1, log })
  try {
    const server = await checkServer(pool, { now: Date.now, services: [], lanes: config.partitions })
    server.forEach(tell)
    const migrations = await checkMigrations(pool, [migrated])
    for (const { problem, cure, blocking } of migrations) {
      if (blocking) throw new TallyError('NOT_DEPLOYED', `${problem}. ${cure}`)
      log.warn({ cure }, problem)
    }
  } finally {
    await pool.end()
  }
}
