import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A process a test runs beside its stack. Killed at the end of the block if it has not ended by then. */
export interface LaunchedProcess extends AsyncDisposable {
  readonly pid: number | undefined
  /** Sends SIGTERM. @returns its exit code @throws Error if it had ended by itself */
  end(): Promise<number | null>
}

/** Runs an entry of the project in `dir`: `launchProcess(dir, env, 'consumers/main.ts', 'payment')`. */
export function launchProcess(dir: string, env: NodeJS.ProcessEnv, ...args: readonly string[]): LaunchedProcess {
  const child = spawn(process.execPath, args, { cwd: dir, env, stdio: 'ignore' })
  const ended = once(child, 'exit')
  return {
    pid: child.pid,
    async end() {
      if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended by itself: exit code ${child.exitCode}`)
      child.kill('SIGTERM')
      await ended
      return child.exitCode
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
