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

/** Starts an entry, such as `consumers/main.ts payment`, as a supervisor does. @param ready @default waits until it is ready */
export async function watchProcess(
  env: NodeJS.ProcessEnv,
  [path = '', ...args]: readonly string[],
  ready: 'ready' | 'ended' = 'ready',
): Promise<WatchedProcess> {
  const child = fork(path, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const exited = once(child, 'exit')
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => output.push(String(piece)))
  let monitor: string | undefined
  child.on('message', (message: { monitor?: string }) => (monitor = message.monitor))
  const said = () => output.join('')
  const name = [path, ...args].join(' ')
  if (ready === 'ended') await exited
  else
    await waitUntil(`${name} is ready`, () => monitor !== undefined || child.exitCode !== null, { withinMs: 180_000 })
  if (ready === 'ready' && monitor === undefined) throw new Error(`${name} ended:\n${said()}`)
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
