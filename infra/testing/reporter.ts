import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { AggregatedResult, Test, TestResult } from '@jest/test-result'

/**
 * Prints one line per test file, the failures of a file with what it printed and the errors that the test servers logged
 * meanwhile, and a last line for machines: `12 passed, 0 failed, 3 skipped`. A file that cannot run counts as a failure.
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
    for (const line of serverErrors(join(context.config.rootDir, '.tally', 'test', 'logs'), perfStats.start))
      print(line)
  }

  onRunComplete(_contexts: unknown, totals: AggregatedResult): void {
    const skipped = totals.numPendingTests + totals.numTodoTests
    const failed = totals.numFailedTests + totals.numRuntimeErrorTestSuites
    print(`${totals.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)

/**
 * @param since UTC epoch ms: the servers outlive a test file, and what they logged before it explains nothing
 * @returns the last errors of the broker and the database, the likely cause of a failure that a test does not explain
 */
function serverErrors(folder: string, since: number): string[] {
  return ['kafka.log', 'postgres.log'].flatMap((name) => {
    try {
      const errors = readFileSync(join(folder, name), 'utf8').match(/^.*(?: ERROR | FATAL:| PANIC:).*$/gm) ?? []
      return errors
        .filter((line) => timeOf(line) >= since)
        .slice(-10)
        .map((line) => `${name}: ${line.slice(0, 400)}`)
    } catch {
      return [] // Tests without servers
    }
  })
}

/** @returns UTC epoch ms of a line of Kafka (`2026-11-29T10:00:00,123`, local) or PostgreSQL (`2026-11-29 10:00:00.123 UTC`) */
function timeOf(line: string): number {
  const [, day, time, ms, zone] = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[.,](\d{3})( UTC)?/.exec(line) ?? []
  return Date.parse(`${day}T${time}.${ms}${zone ? 'Z' : ''}`)
}
