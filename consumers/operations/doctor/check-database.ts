import { checkMigrations } from '../../../infra/doctor/check-migrations.ts'
import type { Migrated } from '../../../infra/doctor/check-migrations.ts'
import { checkServer } from '../../../infra/doctor/check-server.ts'
import type { ServerOptions } from '../../../infra/doctor/check-server.ts'
import { answerWithinMs, findingsOf } from '../../../infra/doctor/finding.ts'
import type { Finding } from '../../../infra/doctor/finding.ts'
import type { Config } from '../../../infra/config.ts'
import { explainFailure } from '../../../infra/explain-failure.ts'
import { silentLogger } from '../../../infra/logger.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import { generationMigrations } from '../../../infra/topic-generations/generation-table.ts'
import { ordersMigrations, ordersSchema } from '../../../producers/orders-api/migrations.ts'
import { consumerFolders, consumerMigrations, schemaName } from '../../runtime/load-consumer.ts'

const cure = 'Start the database (`npm start`), or correct TALLY_DATABASE_URL'
const login =
  'Correct user and password: TALLY_DATABASE_URL, TALLY_DATABASE_PASSWORD or the file of TALLY_DATABASE_PASSWORD_FILE'

/** Access, version, clock, migrations and room for connections. @returns also the partition count that it knows */
export async function checkDatabase(
  config: Config,
  { now, services }: Omit<ServerOptions, 'lanes'>,
): Promise<{ findings: readonly Finding[]; current: Config }> {
  const pool = createPool({ url: config.postgres.url, name: 'tally-doctor', max: 2, answerWithinMs, log: silentLogger })
  let current = config
  try {
    const findings = await findingsOf({ area: 'database', cure, login }, async () => {
      current = await currentConfig(config, pool).catch((error: unknown) => {
        throw new Error(explainFailure(error, () => config).sentence, { cause: error })
      })
      return [
        ...(await checkServer(pool, { now, services, lanes: current.partitions })),
        ...(await checkMigrations(pool, schemasOf(config.namespace))),
      ]
    })
    return { findings, current }
  } finally {
    await pool.end().catch(() => {})
  }
}

/** The schemas of all services. */
const schemasOf = (namespace: string): Migrated[] => [
  generationMigrations(namespace),
  { schema: ordersSchema(namespace), folders: ordersMigrations },
  ...consumerFolders().map((folder) => ({
    schema: schemaName(namespace, folder),
    folders: consumerMigrations(folder),
  })),
]
