import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TallyError } from '../errors.ts'
import { askSupervisor } from '../stack/supervisor/control.ts'
import { identify } from '../stack/supervisor/process-identity.ts'

/**
 * Provides the servers of a test run. Jest calls this once per run, and only if a chosen test needs servers. Concurrent runs
 * share them; if the environment names all three servers, those are used.
 */
export default async function globalSetup(): Promise<void> {
  const { env } = process
  if (env.TALLY_KAFKA_BROKERS && env.TALLY_REGISTRY_URL && env.TALLY_DATABASE_URL) return
  const dataDir = resolve('.tally/test')
  const servers = await holdServers(dataDir, { ...env, TALLY_DATA_DIR: dataDir })
  Object.assign(env, { TALLY_LOG_LEVEL: 'error', ...env, ...servers, TALLY_DATA_DIR: dataDir })
  globalThis.releaseTestServers = () =>
    askSupervisor(dataDir, 'release', { withinMs: 5_000, argument: identify(process.pid) })
}

/** @returns environment variables with their addresses */
async function holdServers(dataDir: string, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const deadline = performance.now() + 300_000 // The first run downloads
  while (performance.now() < deadline) {
    try {
      const argument = identify(process.pid)
      return (await askSupervisor(dataDir, 'hold', { withinMs: 120_000, argument })) as NodeJS.ProcessEnv
    } catch {
      await startServers(env)
      await sleep(100)
    }
  }
  throw new TallyError('UNREACHABLE', `The test servers did not start; their logs are in ${join(dataDir, 'logs')}`)
}

/** Resolves when the servers run, whichever test run has started them. */
async function startServers(env: NodeJS.ProcessEnv): Promise<void> {
  const host = fork(join(import.meta.dirname, 'test-servers.ts'), {
    env,
    execArgv: [],
    detached: true,
    stdio: 'ignore',
  })
  host.on('message', (message: { type: string; line?: string }) => {
    if (message.type === 'progress') process.stderr.write(`${message.line}\n`)
  })
  const exited = once(host, 'exit').then(() => ({ type: 'ended' }) as { type: string; message?: string })
  const answered = new Promise<{ type: string; message?: string }>((answer) =>
    host.on('message', (message: { type: string }) => message.type !== 'progress' && answer(message)),
  )
  const { type, message } = await Promise.race([answered, exited])
  if (type === 'failed') throw new TallyError('UNREACHABLE', message ?? '')
  if (host.connected) host.disconnect()
  host.unref()
}

declare global {
  var releaseTestServers: (() => Promise<unknown>) | undefined
}
