import type { EnvironmentContext, JestEnvironmentConfig } from '@jest/environment'
import type { Circus } from '@jest/types'
import { TestEnvironment } from 'jest-environment-node'

/** Enough to see what led to a failure. */
const shownLines = 60

/**
 * Keeps the log of each test (`createTestLogger`) and adds it to the failure of the test. The log of a test that passes
 * is dropped.
 */
export default class LogKeepingEnvironment extends TestEnvironment {
  private readonly lines: string[] = []

  constructor(config: JestEnvironmentConfig, context: EnvironmentContext) {
    super(config, context)
    this.global.testLog = this.lines
  }

  handleTestEvent(event: Circus.AsyncEvent | Circus.SyncEvent): void {
    if (event.name !== 'test_done') return
    const log = this.lines.splice(0)
    const [failure] = event.test.errors
    const error: unknown = Array.isArray(failure) ? (failure[0] ?? failure[1]) : failure
    if (log.length > 0 && error && typeof error === 'object' && 'stack' in error)
      error.stack = withLog(String(error.stack), log)
  }
}

/** Inserts the log between the message and the stack trace, where jest leaves text as it is. */
function withLog(stack: string, log: readonly string[]): string {
  const told = log.slice(-shownLines)
  const heading = log.length > told.length ? `Log of the test, last ${shownLines} lines:` : 'Log of the test:'
  const trace = /\n\s*at .*:\d+:\d+/.exec(stack)?.index ?? stack.length
  return `${stack.slice(0, trace)}\n\n${heading}\n${told.join('')}${stack.slice(trace)}`
}
