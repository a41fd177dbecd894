import type { Config } from '../infra/config.ts'
import { checkAtStart } from '../infra/doctor/check-at-start.ts'
import { describeError } from '../infra/errors.ts'
import { currentConfig, withGeneration } from '../infra/topic-generations/current-config.ts'
import { watchGeneration } from '../infra/topic-generations/watch-generation.ts'
import { listen } from '../infra/notices/listen.ts'
import { checkSessions, createPool } from '../infra/postgres/pool.ts'
import { poolSizes } from '../infra/postgres/pool-sizes.ts'
import { runService } from '../infra/service.ts'
import { createCodec } from '../schemas/codec/codec.ts'
import { topics } from '../schemas/topics.ts'
import { consumerFolders, consumerMigrations, loadConsumer, schemaName } from './runtime/load-consumer.ts'
import { startConsumer } from './runtime/start-consumer.ts'
import { noteReplica } from './runtime/tables/replicas/replica-table.ts'
import { consumerHelp, consumerUsageError } from './usage.ts'

/** Runs one replica of a consumer: `npm run consumer -- payment`. */
const folder = process.argv[2] ?? ''
const folders = consumerFolders()
if (folder === '--help' || folder === '-h') {
  process.stdout.write(consumerHelp(folders))
  process.exit(0)
}
if (!folders.includes(folder)) {
  process.stderr.write(consumerUsageError(folder, folders))
  process.exit(2)
}

await runService(folder, async ({ config, log, replica, signal, meter, tracer }) => {
  const schema = schemaName(config.namespace, folder)
  await checkAtStart({ schema, folders: consumerMigrations(folder) }, config, log)
  const definition = await loadConsumer(folder, config)
  const { url } = config.postgres
  const pool = createPool({
    url,
    schema,
    name: replica,
    max: poolSizes.consumer,
    idleInTransactionMs: Math.max(1_000, Math.round(config.kafka.sessionTimeoutMs / 3)),
    byKey: true,
    log,
  })
  await checkSessions(pool)
  const types = topics.filter((topic) => topic.writtenBy === folder).flatMap((topic) => topic.events)
  const codec = await createCodec({ registryUrl: config.registry.url, namespace: config.namespace, types, log, signal })
  const died = (reason: string) => {
    log.fatal({ reason }, 'cannot continue, exiting so that the supervisor starts a new process')
    process.exit(1)
  }
  const notices = listen({ url, schema, pool, name: replica, log })
  const start = (own: Config) =>
    startConsumer(definition, { config: own, pool, codec, log, notices, replica, meter, tracer })
  const current = await currentConfig(config, pool)
  await noteReplica(pool, replica, Object.keys(definition.handlers))
  let consumer = await start(current)
  log.info({ group: definition.group, handles: Object.keys(definition.handlers), writes: types }, 'started')
  const stopWatching = watchGeneration(
    { pool, config: current, log, seen: () => consumer.generation() },
    async (generation) => {
      await consumer.stop()
      try {
        consumer = await start(withGeneration(config, generation))
      } catch (error) {
        died(`not started on the new topics: ${describeError(error)}`)
      }
    },
  )
  return {
    checks: {
      heartbeat: () => consumer.checks.heartbeat(),
      commit: () => consumer.checks.commit(),
      publish: () => consumer.checks.publish(),
    },
    async stop() {
      await stopWatching()
      await consumer.stop()
      await notices.stop()
      await pool.end()
    },
  }
})
