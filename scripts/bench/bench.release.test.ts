import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect, test } from '@jest/globals'
import { environmentWith } from '../../infra/config.ts'
import type { Report } from './report/report.ts'

const folder = mkdtempSync(join(tmpdir(), 'tally-bench-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Checks results, not speed: the command fails if a contender loses or doubles an event. */
async function bench(...args: string[]): Promise<Report> {
  const child = spawn(process.execPath, ['scripts/bench.ts', ...args, '--quick', '--json', '--out', folder], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: environmentWith({ TALLY_DATA_DIR: folder }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  if (child.exitCode !== 0) throw new Error(`Exit code ${child.exitCode}\n${stderr}`)
  return JSON.parse(stdout) as Report
}

test.each(['consume', 'produce'])('every contender of %s completes its work', async (name) => {
  const { benchmark, results } = await bench(name, '--events', '3000')
  expect(benchmark).toBe(name)
  expect(results.length).toBeGreaterThan(1)
  for (const { perSecond, cpuPerEvent, ratio } of results) {
    for (const figure of [perSecond.median, cpuPerEvent.median, ratio]) expect(figure).toBeGreaterThan(0)
  }
})

test('Tally completes the hop', async () => {
  const { results } = await bench('hop', '--only', 'tally', '--events', '3000')
  expect(results).toMatchObject([{ contender: 'tally', events: 3000 }])
})

test('every contender reserves contended stock exactly once and without deadlocks', async () => {
  const { results } = await bench('contention', '--only', 'tally, 90 % hot', 'row locks, 90 % hot', '--events', '3000')
  expect(results.map(({ figures }) => figures['deadlocks']?.median)).toEqual([0, 0])
})

test('the memory of each process is measured', async () => {
  const { results } = await bench('memory', '--events', '300')
  const names = ['orders-api', 'payment', 'inventory', 'shipping', 'gateway', 'whole stack']
  for (const name of names) expect(results[0]?.figures[`${name} MB`]?.median).toBeGreaterThan(20)
  expect(results[0]?.series?.of['payment']?.length).toBeGreaterThan(1)
})
