import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Counts of log lines of the services. */
export interface ServiceLogs {
  /** Refused attempts of former owners. */
  fenced: number
  /** Lanes set aside for other reasons, and claimed again. */
  setAside: number
  /** Lines of level fatal, by message. */
  fatal: ReadonlyMap<string, number>
}

/** Reads the logs of all processes. Lines that are not JSON, such as those of servers, are ignored. */
export function readServiceLogs(folder: string): ServiceLogs {
  const logs = { fenced: 0, setAside: 0, fatal: new Map<string, number>() }
  for (const name of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      if (!line.startsWith('{"level":')) continue
      const { level, msg, error = '', reason = msg } = parsed(line)
      if (msg === 'lane set aside') logs[error.includes('has a newer owner') ? 'fenced' : 'setAside']++
      if (level >= 60) logs.fatal.set(reason, (logs.fatal.get(reason) ?? 0) + 1)
    }
  }
  return logs
}

/** A process that is killed while it writes leaves a partial line. */
function parsed(line: string): { level: number; msg: string; error?: string; reason?: string } {
  try {
    return JSON.parse(line) as ReturnType<typeof parsed>
  } catch {
    return { level: 0, msg: '' }
  }
}
