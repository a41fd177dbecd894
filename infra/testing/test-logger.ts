import { pino } from 'pino'
import { createLogger } from '../logger.ts'
import type { Logger } from '../logger.ts'

declare global {
  /** Log lines of the running test; set by environment.ts, absent outside jest. */
  var testLog: string[] | undefined
}

/** Under jest, a logger whose lines are shown only if the test fails; elsewhere (benchmarks) an ordinary one. */
export function createTestLogger(level: string): Logger {
  const lines = globalThis.testLog
  if (!lines) return createLogger('test', level)
  return pino(
    { level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line: string) => void lines.push(line) },
  )
}

/** Adds a line, ending with a line feed, to the log of the running test: it is shown only if the test fails. */
export const note = (line: string): void => void globalThis.testLog?.push(line)
