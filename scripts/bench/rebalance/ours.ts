// Runs one replica of the hop's consumer as a service.
import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { startConsumer } from '../../../consumers/runtime/start-consumer.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import { runService } from '../../../infra/service.ts'
import { createCodec } from '../../../schemas/codec/codec.ts'
import { hopConsumer } from '../hop/hop-consumer.ts'

await runService('hop', async ({ config, log, replica, signal }) => {
  const { namespace, kafka, postgres, registry } = config
  const pool = createPool({
    url: postgres.url,
    schema: schemaName(namespace, hopConsumer.group),
    name: replica,
    max: 6,
    idleInTransactionMs: Math.round(kafka.sessionTimeoutMs / 3),
    log,
  })
  const codec = await createCodec({ registryUrl: registry.url, namespace, log, signal })
  const consumer = await startConsumer(hopConsumer, { config, pool, codec, log, replica })
  return {
    async stop() {
      await consumer.stop()
      await pool.end()
    },
  }
})
