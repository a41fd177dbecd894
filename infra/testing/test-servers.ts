// Runs the servers of test runs in a separate process, started by global-setup.ts. They stop when the last run that holds
// them has released them or ended.
import type { Config } from '../config.ts'
import { describeError, TallyError } from '../errors.ts'
import { loadStackConfig } from '../stack/supervisor/data-dir.ts'
import { assertPortFree } from '../stack/supervisor/ports.ts'
import { isAlive } from '../stack/supervisor/process-identity.ts'
import type { ProcessIdentity } from '../stack/supervisor/process-identity.ts'
import { embeddedServers } from '../stack/servers/servers.ts'
import { startStack } from '../stack/supervisor/supervisor.ts'

const holders = new Map<number, ProcessIdentity>()
const stopping = new AbortController()
process.on('SIGTERM', () => stopping.abort())

function stopUnlessHeld(): void {
  for (const [pid, holder] of holders) if (!isAlive(holder)) holders.delete(pid)
  if (holders.size === 0) stopping.abort()
}

const portsOf = ({ ports, kafka: { nodes } }: Config): number[] => [
  ...Object.values(ports),
  ...nodes.flatMap(({ port, controllerPort }) => [port, controllerPort]),
]

/** Finds free ports, because another checkout may run its tests concurrently. */
async function freePorts(base = 27_000): Promise<{ config: Config; portBase: number }> {
  const config = loadStackConfig({ ...process.env, TALLY_PORT_BASE: String(base) })
  try {
    for (const port of portsOf(config)) await assertPortFree(port, 'the test servers')
    return { config, portBase: base }
  } catch (error) {
    if (base >= 27_900) throw error
    return freePorts(base + 100)
  }
}

async function serveTestRuns(): Promise<void> {
  const { config, portBase } = await freePorts()
  const starting = startStack(config, {
    processes: embeddedServers(config, {
      durable: false,
      kafka: {
        heapMb: 768, // Tests send records of a megabyte from several processes at once
        // Some send records of the past. Alone in its segment such a record would be deleted by the next check of all
        // topics, every five minutes, perhaps before it is read
        settings: { 'log.retention.ms': '-1' },
      },
    }),
    fresh: true,
    onProgress: (line) => process.send?.({ type: 'progress', line }),
    signal: stopping.signal,
    commands: {
      /** Returns environment variables with their addresses once they run. */
      async hold(argument) {
        if (stopping.signal.aborted) throw new TallyError('UNREACHABLE', 'The test servers are stopping')
        const holder = argument as ProcessIdentity
        holders.set(holder.pid, holder)
        if (!(await starting)) throw new TallyError('UNREACHABLE', 'The test servers did not start')
        return {
          TALLY_PORT_BASE: String(portBase),
          TALLY_KAFKA_BROKERS: config.kafka.brokers.join(),
          TALLY_REGISTRY_URL: config.registry.url,
          TALLY_DATABASE_URL: config.postgres.url,
        }
      },
      release(argument) {
        holders.delete((argument as ProcessIdentity).pid)
        stopUnlessHeld()
      },
    },
  })
  const stack = await starting
  process.send?.({ type: stack ? 'ready' : 'running already' })
  const unlessHeld = setInterval(stopUnlessHeld, 5_000) // Long enough for the run that started the servers to hold them
  await stack?.ended
  clearInterval(unlessHeld)
}

try {
  await serveTestRuns()
} catch (error) {
  process.send?.({ type: 'failed', message: describeError(error) })
  process.exitCode = 1
}
process.disconnect?.()
