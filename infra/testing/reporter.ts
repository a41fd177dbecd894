import { relative } from 'node:path'
import type { AggregatedResult, Test, TestResult } from '@jest/test-result'

/**
 * Prints one line per test file, the failures of a file with what it printed, and a last line for machines:
 * `12 passed, 0 failed, 3 skipped`. A file that cannot run counts as a failure.
 */
export default class QuietReporter {
  onTestResult({ context, path }: Test, result: TestResult): void {
    const { failureMessage, numFailingTests, testExecError, perfStats } = result
    const failed = numFailingTests > 0 || testExecError !== undefined
    const seconds = ((perfStats.end - perfStats.start) / 1_000).toFixed(1)
    print(`${failed ? 'FAIL' : 'PASS'} ${relative(context.config.rootDir, path)} ${seconds} s`)
    if (!failed) return
    for (const { message } of result.console ?? []) print(message)
    print(failureMessage ?? '')
  }

  onRunComplete(_contexts: unknown, totals: AggregatedResult): void {
    const skipped = totals.numPendingTests + totals.numTodoTests
    const failed = totals.numFailedTests + totals.numRuntimeErrorTestSuites
    print(`${totals.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)
