import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Config } from '../../infra/config.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'

export interface Output {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** A separate pipeline on the servers of the test run, with its own names, data folder and ports. */
export interface TestStack {
  readonly config: Config
  readonly sandbox: Sandbox
  /** Runs a command of `scripts/` to its end: `run('verify', '--json')`. */
  run(script: string, ...args: string[]): Promise<Output>
  /** Starts the services as `npm start` does and leaves them running until `close`. */
  start(): Promise<void>
  close(): Promise<void>
}

const checkout = resolve(import.meta.dirname, '..', '..')

/**
 * @param portBase must differ between tests, because they run concurrently; below 32,668, because systems take ports
 *   from 32,768 on for outgoing connections
 * @param project folder of the code to run, such as a copy that the test changes
 */
export async function createTestStack(
  portBase: number,
  env: NodeJS.ProcessEnv = {},
  project = checkout,
): Promise<TestStack> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tally-e2e-'))
  const sandbox = createSandbox({
    NODE_COMPILE_CACHE: join(project, '.tally', 'compile-cache'), // Halves the CPU time that a command takes to start
    ...{ ...env, TALLY_DATA_DIR: dataDir, TALLY_PORT_BASE: String(portBase) },
  })
  const children = new Set<ChildProcess>()

  const launch = (script: string, args: readonly string[]) => {
    const child = spawn(process.execPath, [`scripts/${script}.ts`, ...args], {
      cwd: project,
      env: sandbox.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }
  const run = async (script: string, ...args: string[]): Promise<Output> => {
    const child = launch(script, args)
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    return { exitCode: child.exitCode, stdout, stderr }
  }
  return {
    config: sandbox.config,
    sandbox,
    run,
    async start() {
      const child = launch('start', ['--json'])
      const stderr = text(child.stderr)
      const ended = once(child, 'exit').then(async () => {
        throw new Error(`The stack ended while starting:\n${await stderr}`)
      })
      ended.catch(() => {}) // Rejects after the start, when nothing awaits it
      await Promise.race([once(child.stdout, 'data'), ended])
    },
    async close() {
      await Promise.all(
        [...children].map(async (child) => {
          const exited = once(child, 'exit')
          child.kill('SIGTERM')
          await exited
        }),
      )
      await sandbox.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** Standard output of a command. @throws Error with all its output if it failed */
export function succeeded({ exitCode, stdout, stderr }: Output): string {
  if (exitCode !== 0) throw new Error(`Exit code ${exitCode}\n${stderr}\n${stdout}`)
  return stdout
}

/** A process that a test runs beside its stack. Disposing kills it if it still runs. */
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
