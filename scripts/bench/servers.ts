import { join } from 'node:path'
import { environmentWith, loadConfig } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { deleteServerData, loadStackConfig } from '../../infra/stack/supervisor/data-dir.ts'
import { assertPortFree } from '../../infra/stack/supervisor/ports.ts'
import { embeddedServers } from '../../infra/stack/servers/servers.ts'
import { startStack } from '../../infra/stack/supervisor/supervisor.ts'

export interface BenchServers extends AsyncDisposable {
  /** Environment variables with their addresses. */
  readonly env: NodeJS.ProcessEnv
  /** Description for the report. */
  readonly setup: string
}

/**
 * The servers of a run: those that the environment names, otherwise embedded ones, empty at first and by default as durable
 * as those of `npm start`. They are stopped and their data is deleted after the run.
 * @throws TallyError BUSY while another benchmark runs
 */
export async function openServers(
  say: (line: string) => void,
  signal: AbortSignal,
  { durable = true }: { durable?: boolean } = {},
): Promise<BenchServers> {
  const dataDir = join(loadConfig().dataDir, 'bench')
  const { config, settings } = await freePorts({ TALLY_DATA_DIR: dataDir, TALLY_LOG_LEVEL: 'error' })
  const processes = embeddedServers(config, { durable, statements: true, kafka: { heapMb: 512 } })
  const stack = await startStack(config, { processes, fresh: true, onProgress: say, signal })
  if (!stack)
    throw new TallyError('BUSY', 'Another benchmark is running, and would distort the figures. Wait for its end')
  const { kafka, registry, postgres } = config
  return {
    env: {
      ...settings,
      TALLY_KAFKA_BROKERS: kafka.brokers.join(),
      TALLY_REGISTRY_URL: registry.url,
      TALLY_DATABASE_URL: postgres.url,
    },
    setup: processes.length > 0 ? processes.map(({ title }) => title).join(', ') : 'external servers',
    async [Symbol.asyncDispose]() {
      await stack.down()
      deleteServerData(dataDir)
    },
  }
}

/** Different from the ports of `npm start` and of the tests. */
async function freePorts(
  env: NodeJS.ProcessEnv,
  base = 26_000,
): Promise<{ config: Config; settings: NodeJS.ProcessEnv }> {
  const settings = { ...env, TALLY_PORT_BASE: String(base) }
  const config = loadStackConfig(environmentWith(settings))
  try {
    for (const port of Object.values(config.ports)) await assertPortFree(port, 'the servers of the benchmark')
    return { config, settings }
  } catch (error) {
    if (base >= 26_900) throw error
    return freePorts(env, base + 100)
  }
}
