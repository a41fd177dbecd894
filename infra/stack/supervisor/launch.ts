import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { environmentWith } from '../../config.ts'
import { describeError, isTallyError, TallyError } from '../../errors.ts'
import { identify } from './process-identity.ts'
import type { CommandLine, ProcessSpec, RunningProcess } from './process-spec.ts'

/**
 * Starts a process with its output in `<logDir>/<name>.log`. It gets its own session, so that Ctrl-C in a terminal reaches
 * only the supervisor, which then stops everything in order.
 * @throws TallyError UNREACHABLE when it cannot be started
 */
export async function launch(spec: ProcessSpec, line: CommandLine, logDir: string): Promise<RunningProcess> {
  const log = openLog(logDir, spec.name)
  const from = fstatSync(log.descriptor).size
  const child = spawn(line.command, line.args, {
    cwd: line.cwd,
    env: environmentWith(line.env ?? {}),
    stdio: ['ignore', log.descriptor, log.descriptor, ...(spec.ipc ? (['ipc'] as const) : [])],
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
    closeSync(log.descriptor)
  }
  child.on('error', () => {}) // A message or signal to a process that has just ended; `exited` reports its end
  const pid = child.pid as number
  const identity = identify(pid) ?? { pid, startTime: 'gone' }
  const output = () => readFileSync(log.path).subarray(from).toString('utf8')
  return { spec, identity, child, exited, output }
}

/**
 * Waits until the process is ready, or a step is done.
 * @returns where a monitored process answers
 * @throws TallyError UNREACHABLE when it ends or is not ready in time, with the last lines of its log
 */
export async function whenReady(running: RunningProcess): Promise<string | undefined> {
  const { spec, exited } = running
  const abort = new AbortController()
  const ended = exited.then((how) => {
    if (spec.kind === 'step' && how === 'exit code 0') return
    throw failure(running, spec.kind === 'step' ? `failed (${how})` : `ended while starting (${how})`)
  })
  const late = sleep(spec.readyWithinMs, undefined, { signal: abort.signal }).then(() => {
    throw failure(running, `was not ready within ${spec.readyWithinMs / 1000} s`)
  })
  try {
    return (
      (await Promise.race([ended, late, ...(spec.kind === 'step' ? [] : [spec.ready(running, abort.signal)])])) ??
      undefined
    )
  } finally {
    abort.abort()
  }
}

function failure({ spec, output }: RunningProcess, what: string): TallyError {
  const lines = output().trimEnd().split('\n')
  const telling = lines.filter((line) => !/^\s+at /.test(line)).slice(-8) // Stack frames would displace the error itself
  const end = telling.join('\n  ')
  return new TallyError('UNREACHABLE', `${spec.title} ${what}. The end of its log (${spec.name}.log):\n  ${end}`)
}

export const hasEnded = ({ child }: RunningProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** Stops a process with its stop signal, then with SIGKILL after its deadline. Resolves when it has ended. */
export async function stop(running: RunningProcess): Promise<void> {
  if (hasEnded(running)) return
  const { spec, child, exited } = running
  child.kill(spec.stopSignal)
  const force = setTimeout(() => child.kill('SIGKILL'), spec.stopWithinMs)
  await exited
  clearTimeout(force)
}

/** Polls until the answer is true; a retryable error counts as false. Ends when the signal aborts. */
export async function poll(
  probe: () => Promise<boolean> | boolean,
  { everyMs, signal }: { everyMs: number; signal?: AbortSignal },
): Promise<void> {
  while (!signal?.aborted) {
    try {
      if (await probe()) return
    } catch (error) {
      if (isTallyError(error) && !error.retryable) throw error
    }
    await sleep(everyMs)
  }
}

const maxLogBytes = 32 * 1024 * 1024

/** Appends to the log of earlier starts; a large log is rotated first. */
function openLog(logDir: string, name: string): { path: string; descriptor: number } {
  const path = join(logDir, `${name}.log`)
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxLogBytes) renameSync(path, `${path}.1`)
  return { path, descriptor: openSync(path, 'a', 0o600) }
}
