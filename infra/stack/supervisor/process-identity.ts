import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Identifies a process: pids are reused, a pid with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks after boot, field 22 of /proc/<pid>/stat. */
  readonly startTime: string
}

/** The process that has this pid now; undefined if there is none. A zombie does not count. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // The name before it may contain blanks and parentheses
  const [state, startTime] = [fields[0], fields[19]]
  return state === 'Z' || startTime === undefined ? undefined : { pid, startTime }
}

export const isAlive = (process: ProcessIdentity): boolean => identify(process.pid)?.startTime === process.startTime

/** Sends a signal to exactly this process, never to a later owner of its pid. */
export function signalTo(target: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(target)) return
  try {
    process.kill(target.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Ends a process that is not a child: with the signal, then with SIGKILL after the deadline. */
export async function end(target: ProcessIdentity, signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
  signalTo(target, signal)
  if (await gone(target, deadlineMs)) return
  signalTo(target, 'SIGKILL')
  await gone(target, 5_000)
}

async function gone(target: ProcessIdentity, deadlineMs: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMs
  while (isAlive(target)) {
    if (performance.now() > deadline) return false
    await sleep(20)
  }
  return true
}

/** Clock ticks of /proc are hundredths of a second on every Linux. Source: proc(5), `USER_HZ`. */
const msPerTick = 10

/** Processor time used so far, milliseconds; undefined after the process has ended. */
export function cpuMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * msPerTick
  } catch {
    return undefined
  }
}

/** Resident memory in bytes; undefined after the process has ended. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}
