// The servers of test runs, as a process of their own: they serve every run that holds them, and stop when the last one
// has let go or is gone. global-setup.ts starts it.
import { describeError, TallyError } from '../errors.ts'
import { loadStackConfig } from '../stack/data-dir.ts'
import { isAlive } from '../stack/process-identity.ts'
import type { ProcessIdentity } from '../stack/process-identity.ts'
import { embeddedServers } from '../stack/servers.ts'
import { startStack } from '../stack/supervisor.ts'

const config = loadStackConfig()
const holders = new Map<number, ProcessIdentity>()
const stopping = new AbortController()

const hold = async (argument: unknown) => {
  if (stopping.signal.aborted) throw new TallyError('UNREACHABLE', 'The test servers are stopping')
  const holder = argument as ProcessIdentity
  holders.set(holder.pid, holder)
  if (!(await starting)) throw new TallyError('UNREACHABLE', 'The test servers did not start')
}

const release = (argument: unknown) => {
  holders.delete((argument as ProcessIdentity).pid)
  stopUnlessHeld()
}

function stopUnlessHeld(): void {
  for (const [pid, holder] of holders) if (!isAlive(holder)) holders.delete(pid)
  if (holders.size === 0) stopping.abort()
}

const starting = startStack(config, {
  processes: embeddedServers(config, { durable: false }),
  fresh: true,
  commands: { hold, release },
  onProgress: (line) => process.send?.({ type: 'progress', line }),
  signal: stopping.signal,
})
process.on('SIGTERM', () => stopping.abort())

try {
  const stack = await starting
  process.send?.({ type: stack ? 'ready' : 'running already' })
  const unlessHeld = setInterval(stopUnlessHeld, 5_000) // Time enough for who started us to take hold
  await stack?.ended
  clearInterval(unlessHeld)
} catch (error) {
  process.send?.({ type: 'failed', message: describeError(error) })
  process.exitCode = 1
}
process.disconnect?.()
