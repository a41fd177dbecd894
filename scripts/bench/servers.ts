import { join } from 'node:path'
import { environmentWith, loadConfig } from '../../infra/config.ts'
import { deleteServerData, loadStackConfig } from '../../infra/stack/data-dir.ts'
import { embeddedServers } from '../../infra/stack/servers.ts'
import { startStack } from '../../infra/stack/supervisor.ts'
import { TallyError } from '../../infra/errors.ts'

export interface BenchServers extends AsyncDisposable {
  /** Variables that lead to them. */
  readonly env: NodeJS.ProcessEnv
  /** For the report: whose they are. */
  readonly setup: string
}

/** Apart from those of `npm start` and of the tests, which may run at the same time, though not while it counts. */
const portBase = 25_000

/**
 * The servers of a run: those the environment names, and embedded ones of the run's own for the rest, empty at first and
 * as durable as in `npm start`. They end with the run, and their data with them.
 */
export async function openServers(say: (line: string) => void, signal: AbortSignal): Promise<BenchServers> {
  const dataDir = join(loadConfig().dataDir, 'bench')
  const settings = { TALLY_DATA_DIR: dataDir, TALLY_PORT_BASE: String(portBase), TALLY_LOG_LEVEL: 'error' }
  const config = loadStackConfig(environmentWith(settings))
  const processes = embeddedServers(config, { durable: true })
  const stack = await startStack(config, { processes, fresh: true, onProgress: say, signal })
  if (!stack) throw new TallyError('USAGE', 'Another benchmark is running: two would measure each other')
  const { kafka, registry, postgres } = config
  return {
    env: {
      ...settings,
      TALLY_KAFKA_BROKERS: kafka.brokers.join(),
      TALLY_REGISTRY_URL: registry.url,
      TALLY_DATABASE_URL: postgres.url,
    },
    setup: processes.length > 0 ? processes.map(({ title }) => title).join(', ') : 'servers of the environment',
    async [Symbol.asyncDispose]() {
      await stack.down()
      deleteServerData(dataDir)
    },
  }
}
