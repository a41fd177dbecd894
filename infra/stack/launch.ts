import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, TallyError } from '../errors.ts'
import { identify } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'

export interface CommandLine {
  command: string
  args: readonly string[]
  /** Added to our own environment. */
  env?: Readonly<Record<string, string>>
  cwd?: string
  user?: { readonly uid: number; readonly gid: number }
}

/** Everything there is to know about one process of the stack; the same for servers and services. */
export interface ProcessSpec {
  /** Short name, of its log file too: `kafka`, `payment`. */
  readonly name: string
  /** For people: `Kafka 4.3.1`. */
  readonly title: string
  readonly port?: number
  /** An IPC channel to us: closes when we die, so that services end with their supervisor. */
  readonly ipc?: boolean
  /** Makes what the process needs (data folder, downloads) and says how to run it. Idempotent. */
  prepare(progress: (text: string) => void): Promise<CommandLine>
  /** Resolves once the process serves. May poll until `signal` aborts. */
  ready(running: RunningProcess, signal: AbortSignal): Promise<void>
  readonly readyWithinMs: number
  readonly stopSignal: NodeJS.Signals
  readonly stopWithinMs: number
}

export interface RunningProcess {
  readonly spec: ProcessSpec
  readonly identity: ProcessIdentity
  readonly child: ChildProcess
  /** Resolves with how it ended: `exit code 1`, `SIGKILL`. */
  readonly exited: Promise<string>
  /** What it has written to its log since this start. */
  output(): string
}

/**
 * Starts a process with its output in `<logDir>/<name>.log`. It gets a session of its own, so that a terminal's Ctrl-C
 * reaches only the supervisor, which then stops everything in order.
 * @throws TallyError UNREACHABLE when it cannot be started
 */
export async function launch(spec: ProcessSpec, line: CommandLine, logDir: string): Promise<RunningProcess> {
  const logFile = openLog(logDir, spec.name)
  const from = fstatSync(logFile.descriptor).size
  const child = spawn(line.command, line.args, {
    cwd: line.cwd,
    env: { ...process.env, ...line.env },
    stdio: ['ignore', logFile.descriptor, logFile.descriptor, ...(spec.ipc ? (['ipc'] as const) : [])],
    detached: true,
    ...line.user,
  })
  const exited = new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`)),
  )
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw new TallyError('UNREACHABLE', `${spec.title} cannot be started: ${describeError(error)}`, { cause: error })
  } finally {
    closeSync(logFile.descriptor)
  }
  child.on('error', () => {}) // A message to, or a kill of, a process just gone: `exited` tells
  const pid = child.pid as number
  const identity = identify(pid) ?? { pid, startTime: 'gone' }
  const output = () => readFileSync(logFile.path).subarray(from).toString('utf8')
  return { spec, identity, child, exited, output }
}

/**
 * Waits until the process serves.
 * @throws TallyError UNREACHABLE when it ends or stays silent, with the last lines of its log
 */
export async function whenReady(running: RunningProcess): Promise<void> {
  const { spec, exited } = running
  const abort = new AbortController()
  const failed = async (waiting: Promise<string>) => {
    const why = await waiting
    const lines = running.output().trimEnd().split('\n').slice(-8).join('\n  ')
    throw new TallyError('UNREACHABLE', `${spec.title} ${why}. The end of its log (${spec.name}.log):\n  ${lines}`)
  }
  try {
    await Promise.race([
      spec.ready(running, abort.signal),
      failed(exited.then((how) => `ended while starting (${how})`)),
      failed(
        sleep(spec.readyWithinMs, `did not get ready within ${spec.readyWithinMs / 1000} s`, { signal: abort.signal }),
      ),
    ])
  } finally {
    abort.abort()
  }
}

/** Stops a process: its stop signal, then SIGKILL after its deadline. Resolves when it is gone. */
export async function stop({ spec, child, exited }: RunningProcess, withinMs = spec.stopWithinMs): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(spec.stopSignal)
  const force = setTimeout(() => child.kill('SIGKILL'), withinMs)
  await exited
  clearTimeout(force)
}

/** Asks again and again until the answer is true; an error counts as a no. Ends silently when the signal aborts. */
export async function poll(
  probe: () => Promise<boolean> | boolean,
  { everyMs, signal }: { everyMs: number; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      if (await probe()) return
    } catch {
      // Not yet
    }
    await sleep(everyMs)
  }
}

const maxLogBytes = 32 * 1024 * 1024

/** Appends to the log of earlier starts; a log grown large is put aside first. */
function openLog(logDir: string, name: string): { path: string; descriptor: number } {
  mkdirSync(logDir, { recursive: true })
  const path = join(logDir, `${name}.log`)
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(path, `${path}.1`)
  return { path, descriptor: openSync(path, 'a', 0o600) }
}
