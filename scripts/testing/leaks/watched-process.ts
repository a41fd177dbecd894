import { fork } from 'node:child_process'
import { once } from 'node:events'
import { waitUntil } from '../../../infra/testing/wait-until.ts'

/** A service of which everything is kept that it tells anybody. */
export interface WatchedProcess extends AsyncDisposable {
  readonly name: string
  /** All that it wrote so far. */
  said(): string
  /** Where its monitor listens. @throws Error unless it is ready */
  readonly monitor: string
  readonly exitCode: number | null
}

/**
 * Starts an entry, such as `consumers/main.ts payment`, as a supervisor does: again, if it ends before it is ready, because a
 * server was too slow.
 * @param ready @default waits until it is ready
 * @param past what it said in earlier starts
 */
export async function watchProcess(
  env: NodeJS.ProcessEnv,
  [path = '', ...args]: readonly string[],
  ready: 'ready' | 'ended' = 'ready',
  past: readonly string[] = [],
): Promise<WatchedProcess> {
  const child = fork(path, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const exited = once(child, 'exit')
  const output: string[] = [...past]
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => output.push(String(piece)))
  let monitor: string | undefined
  child.on('message', (message: { monitor?: string }) => (monitor = message.monitor))
  const said = () => output.join('')
  const name = [path, ...args].join(' ')
  if (ready === 'ended') await exited
  else
    await waitUntil(`${name} is ready`, () => monitor !== undefined || child.exitCode !== null, { withinMs: 180_000 })
  const ended = ready === 'ready' && monitor === undefined
  if (ended && past.length === 0) return watchProcess(env, [path, ...args], ready, output)
  if (ended) throw new Error(`${name} ended:\n${said()}`)
  return {
    name,
    said,
    get monitor() {
      if (monitor === undefined) throw new Error(`${name} is not ready`)
      return monitor
    },
    get exitCode() {
      return child.exitCode
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) child.kill('SIGTERM')
      await exited
    },
  }
}
