import { fork, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { basename, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { environmentWith } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { cpuMs } from '../../infra/stack/supervisor/process-identity.ts'
import type { Ground } from './benchmark.ts'
import type { Program } from './run-program.ts'

export interface Service extends AsyncDisposable {
  /** Name of its folder or program. */
  readonly name: string
  readonly pid: number
  /** Address of its metrics, if it is monitored. */
  readonly monitor?: string | undefined
  /** CPU time used so far, seconds. */
  cpuSeconds(): number
  /** Disposing sends SIGTERM and waits. */
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
}

/** CPU seconds of all these services so far. */
export const cpuSecondsOf = (services: readonly Service[]): number =>
  services.reduce((sum, service) => sum + service.cpuSeconds(), 0)

/**
 * Starts a service as the supervisor does: it reports ready over IPC and ends on SIGTERM.
 * @throws TallyError UNREACHABLE if it ends before it is ready
 */
export async function startService(
  { sandbox, profiles }: Pick<Ground, 'sandbox' | 'profiles'>,
  path: string,
  {
    args = [],
    env = {},
    name = args[0] ?? basename(dirname(path)),
  }: { args?: readonly string[]; env?: NodeJS.ProcessEnv; name?: string } = {},
): Promise<Service> {
  const child = fork(path, args, {
    env: { ...sandbox.env, ...env },
    execArgv: profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return readyService(
    name,
    child,
    once(child, 'message').then(([ready]) => (ready as { monitor?: string }).monitor),
  )
}

/**
 * Starts a server of others, which ends on SIGTERM.
 * @param ready resolves when it answers
 */
export function startServer(
  name: string,
  { command, args, env }: Program & { env: NodeJS.ProcessEnv },
  ready: () => Promise<unknown>,
): Promise<Service> {
  const child = spawn(command, args, { env: environmentWith(env), stdio: ['ignore', 'ignore', 'inherit'] })
  return readyService(
    name,
    child,
    ready().then(() => undefined),
  )
}

/**
 * Starts a program that prints a line of JSON when it is ready, and ends on SIGTERM.
 * @throws TallyError UNREACHABLE if it ends before it is ready
 */
export function startProgram(
  { sandbox }: Pick<Ground, 'sandbox'>,
  name: string,
  { command, args }: Program,
): Promise<Service> {
  const child = spawn(command, args, { env: sandbox.env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ready = Promise.withResolvers<undefined>()
  createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('{') && ready.resolve(undefined))
  return readyService(name, child, ready.promise)
}

/** @param ready resolves with the address of its metrics, if it has any */
async function readyService(name: string, child: ChildProcess, ready: Promise<string | undefined>): Promise<Service> {
  const exited = once(child, 'exit')
  const ended = exited.then(() => {
    throw new TallyError('UNREACHABLE', `${name} ended before it was ready`)
  })
  ended.catch(() => {}) // Rejects after the service is ready and nothing awaits it
  const monitor = await Promise.race([ready, ended])
  const { pid = 0 } = child
  return {
    name,
    pid,
    monitor,
    cpuSeconds: () => (cpuMs(pid) ?? 0) / 1_000,
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      child.kill('SIGCONT') // A stopped process does not handle SIGTERM
      await exited
    },
  }
}
