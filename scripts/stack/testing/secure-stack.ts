import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { environmentWithoutServers } from '../../../infra/config.ts'

/** A whole stack with servers of its own in a data folder of its own. */
export interface SecureStack extends AsyncDisposable {
  readonly dataDir: string
  readonly env: NodeJS.ProcessEnv
  /** Starts it as `npm start` does. @throws Error with its output if it ends instead */
  start(...args: string[]): Promise<void>
  /** Starts a command of `scripts/` that runs until `close`. Resolves when it says that it runs. @throws as `start` */
  serve(script: string, ...args: string[]): Promise<void>
  /** Runs a command of `scripts/` with `--json`. @returns its standard output @throws Error with all output if it fails */
  run(script: string, ...args: string[]): Promise<string>
  /** Path of a file in the data folder. */
  file(name: string): string
  /** Leaves what a stack without security leaves. */
  pretendData(): Promise<void>
  close(): Promise<void>
}

const project = resolve(import.meta.dirname, '../../..')

export async function createSecureStack(portBase: number, settings: NodeJS.ProcessEnv = {}): Promise<SecureStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tally-secure-'))
  const env = { TALLY_DATA_DIR: dataDir, TALLY_PORT_BASE: String(portBase), TALLY_PARTITIONS: '2', ...settings }
  const running: ChildProcess[] = []
  const launch = (script: string, args: readonly string[]) =>
    spawn(process.execPath, [`scripts/${script}.ts`, ...args], {
      cwd: project,
      env: { ...environmentWithoutServers(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const serve = async (script: string, ...args: string[]) => {
    const child = launch(script, ['--json', ...args])
    running.push(child)
    const stderr = text(child.stderr)
    const ended = once(child, 'exit').then(async () => {
      throw new Error(`${script} ended:\n${await stderr}`)
    })
    ended.catch(() => {}) // After the start, when nothing awaits it
    await Promise.race([once(child.stdout, 'data'), ended])
  }
  const close = async () => {
    for (const child of running.splice(0).reverse()) {
      if (child.exitCode !== null) continue
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    }
    rmSync(dataDir, { recursive: true, force: true })
  }
  return {
    ...{ dataDir, env, close, [Symbol.asyncDispose]: close },
    file: (name) => join(dataDir, 'run', name),
    async pretendData() {
      mkdirSync(join(dataDir, 'kafka'))
      writeFileSync(join(dataDir, 'tally-data-dir'), '')
    },
    start: (...args) => serve('start', ...args),
    serve,
    async run(script, ...args) {
      const child = launch(script, [...args, '--json'])
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
      if (child.exitCode !== 0)
        throw new Error(`${script} ${args.join(' ')}: exit code ${child.exitCode}\n${stderr}\n${stdout}`)
      return stdout
    },
  }
}
