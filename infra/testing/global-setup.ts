import { resolve } from 'node:path'
import { loadStackConfig } from '../stack/data-dir.ts'
import { startServers } from '../stack/servers.ts'

/** Jest calls this once per run, and only if a test that needs servers is among the chosen ones. */
export default async function globalSetup(): Promise<void> {
  const { env } = process
  if (env.TALLY_KAFKA_BROKERS && env.TALLY_REGISTRY_URL && env.TALLY_DATABASE_URL) return // Servers of the developer's own
  const settings = { TALLY_DATA_DIR: resolve('.tally/test'), TALLY_PORT_BASE: '27000' }
  const config = loadStackConfig({ ...env, ...settings })
  const servers = await startServers(config, {
    durable: false,
    onProgress: (text) => process.stderr.write(`${text}\n`),
  })
  globalThis.stopTestServers = servers.stop
  Object.assign(env, settings, {
    TALLY_KAFKA_BROKERS: config.kafka.brokers.join(),
    TALLY_REGISTRY_URL: config.registry.url,
    TALLY_DATABASE_URL: config.postgres.url,
    TALLY_LOG_LEVEL: env.TALLY_LOG_LEVEL ?? 'warn',
  })
}

declare global {
  var stopTestServers: (() => Promise<void>) | undefined
}
