import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** Result of a named test. `not run`: it is missing, or its file could not be loaded. */
export interface Told {
  readonly outcome: 'passed' | 'failed' | 'not run'
  /** Why it did not pass, in one line; empty if it passed. */
  readonly how: string
}

export interface RunOptions {
  /** A checkout or a copy of it. */
  dir: string
  /** Path of the test file in `dir`. */
  file: string
  titles: readonly string[]
  /** A run that takes longer counts as failed. */
  timeLimitMs: number
  signal: AbortSignal
}

interface JestReport {
  testResults: {
    message: string
    assertionResults: { title: string; status: string; failureMessages: string[] }[]
  }[]
}

/** Runs the named tests of one file in a separate process. @returns results by title */
export async function runTests({ dir, file, titles, timeLimitMs, signal }: RunOptions): Promise<Map<string, Told>> {
  const report = join(dir, 'mutate-report.json')
  await rm(report, { force: true })
  const pattern = titles.map((title) => patternOf(title).source).join('|')
  const args = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js']
  args.push('--testPathPatterns', `/${escapeRegExp(file)}$`, '--testNamePattern', `(${pattern})$`)
  args.push('--selectProjects', projectOf(file), '--json', '--outputFile', report, '--silent', '--forceExit')
  const ended = await within(timeLimitMs, signal, dir, args)
  signal.throwIfAborted()
  if (!ended) {
    const late: Told = { outcome: 'failed', how: `not finished within ${timeLimitMs / 1_000} s` }
    return new Map(titles.map((title) => [title, late]))
  }
  const text = await readFile(report, 'utf8').catch(() => '{"testResults":[]}')
  const { testResults } = JSON.parse(text) as JestReport
  return new Map(titles.map((title) => [title, toldOf(title, testResults)]))
}

function toldOf(title: string, results: JestReport['testResults']): Told {
  const pattern = new RegExp(`^${patternOf(title).source}$`)
  const told = results
    .flatMap(({ assertionResults }) => assertionResults)
    .filter((result) => pattern.test(result.title) && ['passed', 'failed'].includes(result.status))
  const failed = told.find(({ status }) => status === 'failed')
  if (failed) return { outcome: 'failed', how: gist(failed.failureMessages[0] ?? '') }
  if (told.length > 0) return { outcome: 'passed', how: '' }
  return { outcome: 'not run', how: gist(results[0]?.message ?? '') || 'no such test' }
}

/** The essence of a failure message: expected and received value, or its first line. */
export function gist(message: string): string {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const [first = ''] = lines
  if (!first.includes('expect(')) return first.replace(/^Error: /, '')
  const told = (pattern: RegExp) =>
    lines
      .flatMap((line) => pattern.exec(line)?.[1]?.replace(/,$/, '') ?? [])
      .find((text) => /\w/.test(text) && !/^(Object|Array) [[{]$/.test(text))
  const expected = told(/^Expected[^:]*: (.+)/) ?? told(/^-\s+(?!Expected)(.+)/)
  const received = told(/^Received[^:]*: (.+)/) ?? told(/^\+\s+(?!Received)(.+)/)
  if (expected === undefined && received === undefined)
    return lines.find((line) => line.startsWith('Received')) ?? first
  return `expected ${expected ?? 'nothing'}, got ${received ?? 'nothing'}`
}

const escapeRegExp = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')

const patternOf = (title: string): RegExp =>
  new RegExp(
    title
      .split(/%[a-z]|\$\{\w+\}/)
      .map(escapeRegExp)
      .join('.*'),
  )

const projects: Readonly<Record<string, string>> = {
  int: 'integration',
  e2e: 'end-to-end',
  system: 'system',
  release: 'release',
}

const projectOf = (file: string): string => projects[file.split('.').at(-3) ?? ''] ?? 'pure'

/** @returns false if the process was killed after `ms` */
function within(ms: number, signal: AbortSignal, dir: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // Its own process group, so that its children are killed with it
    const child = spawn(process.execPath, args, { cwd: dir, detached: true, stdio: 'ignore' })
    let ended = true
    const end = () => {
      ended = false
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
    child.once('error', reject)
    child.once('exit', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve(ended)
    })
  })
}
