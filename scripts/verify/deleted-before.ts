import kafkajs from 'kafkajs'
import type { Kafka } from 'kafkajs'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { databaseTime } from '../../infra/postgres/database-time.ts'
import type { Pool } from '../../infra/postgres/pool.ts'

/**
 * Before which time a record was written that retention has deleted, by topic on the broker: what a topic keeps, counted from
 * now. UTC epoch ms; -Infinity for a topic that keeps all. The brokers date records, the database's clock tells the time.
 */
export async function deletedBefore(
  kafka: Kafka,
  pool: Pool,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const now = await databaseTime(pool)
  const { resources } = await withAdmin(kafka, (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({
        ...{ type: kafkajs.ConfigResourceTypes.TOPIC, name },
        configNames: ['retention.ms'],
      })),
    }),
  )
  return new Map(
    resources.map(({ resourceName, configEntries }) => {
      const kept = Number(configEntries.find(({ configName }) => configName === 'retention.ms')?.configValue ?? -1)
      return [resourceName, kept < 0 ? -Infinity : now - kept]
    }),
  )
}
