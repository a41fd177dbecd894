import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { environmentWith } from '../../config.ts'
import { describeError, isTallyError, TallyError } from '../../errors.ts'
import { adviceFor } from '../failures/advice.ts'
import { causeInLog } from '../failures/cause-in-log.ts'
import { sameGist } from '../failures/failure-notes.ts'
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
  const output = () => readFrom(log.path, from)
  return { spec, identity, child, exited, output, diskIsFull: () => isFull(logDir) }
}

/**
 * Waits until the process is ready, or a step is done.
 * @param told called with each new cause that keeps it from becoming ready, and once if it is late without one
 * @returns where a monitored process answers
 * @throws TallyError UNREACHABLE when it ends or is not ready in time, or when waiting cannot help: one sentence with cause and advice
 */
export async function whenReady(
  running: RunningProcess,
  told: (sentence: string) => void = () => {},
): Promise<string | undefined> {
  const { spec, exited } = running
  const abort = new AbortController()
  const ended = exited.then((how) => {
    if (spec.kind === 'step' && how === 'exit code 0') return
    throw failure(running, spec.kind === 'step' ? `failed (${how})` : `ended while starting (${how})`, true)
  })
  const late = sleep(spec.readyWithinMs, undefined, { signal: abort.signal }).then(() => {
    throw failure(running, `was not ready within ${spec.readyWithinMs / 1000} s`)
  })
  const hopeless = watchStart(running, abort.signal, told)
  const ways = [ended, late, hopeless]
  try {
    return (
      (await Promise.race([...ways, ...(spec.kind === 'step' ? [] : [spec.ready(running, abort.signal)])])) ?? undefined
    )
  } finally {
    abort.abort()
    for (const way of ways) way.catch(() => {})
  }
}

const lookEveryMs = 500
/** A cause that is still the last one after this time is told. */
const tellAfterMs = 3_000
const tellSilenceAfterMs = 15_000

/** Looks at the output of a process that starts. Never resolves. @throws TallyError UNREACHABLE when waiting cannot help */
async function watchStart(
  running: RunningProcess,
  signal: AbortSignal,
  told: (sentence: string) => void,
): Promise<void> {
  const began = performance.now()
  let last = { cause: undefined as string | undefined, at: began, told: false }
  for (;;) {
    await sleep(lookEveryMs, undefined, { signal })
    const cause = causeInLog(running.output())
    if (cause !== undefined && adviceFor(cause)?.definite) throw failure(running, 'cannot start')
    if (!sameGist(cause, last.cause)) last = { cause, at: performance.now(), told: false }
    const patienceMs = cause === undefined ? tellSilenceAfterMs : tellAfterMs
    if (last.told || performance.now() - last.at < patienceMs) continue
    last.told = true
    told(sentenceOf(running, `is not ready after ${Math.round((performance.now() - began) / 1_000)} s`))
  }
}

const failure = (running: RunningProcess, what: string, ended = false): TallyError =>
  new TallyError('UNREACHABLE', sentenceOf(running, what, ended))

/** `Kafka 4.3.1 ended while starting (exit code 1): cause. Advice. Its log: …` */
export function sentenceOf(running: RunningProcess, what: string, ended = false): string {
  const { spec, output, diskIsFull } = running
  const cause = causeInLog(output(), { ended }) ?? (diskIsFull() ? 'No space left on device' : undefined)
  const advice = cause === undefined ? undefined : adviceFor(cause)?.advice
  const log = `Its log: \`npm run stack -- logs ${spec.name}\``
  return [`${spec.title} ${what}${cause === undefined ? '' : `: ${cause.replace(/\.+$/, '')}`}`, advice, log]
    .filter(Boolean)
    .join('. ')
}

/** Only the part of this start: a log grows to 32 MB, and its end is looked at many times. */
function readFrom(path: string, from: number): string {
  if (!existsSync(path)) return ''
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from))
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, from))
  } finally {
    closeSync(file)
  }
}

/** Less than a process writes to its log before it says anything. */
const leastBytes = 64 * 1024

function isFull(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize < leastBytes
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
