import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the services wrote of interest. */
export interface ServiceLogs {
  /** Attempts of an owner that was not the owner any more, refused. */
  fenced: number
  /** Lanes set aside for any other reason, and claimed again. */
  setAside: number
  /** Lines of level fatal, by message. */
  fatal: ReadonlyMap<string, number>
}

/** Reads the logs of all processes; lines that are not JSON (of servers) do not count. */
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

/** A process killed while it wrote leaves half a line. */
function parsed(line: string): { level: number; msg: string; error?: string; reason?: string } {
  try {
    return JSON.parse(line) as ReturnType<typeof parsed>
  } catch {
    return { level: 0, msg: '' }
  }
}
