import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'

interface ChaosJson {
  ok: boolean
  sent: { orders: number; malformed: number }
  faults: { kind: string }[]
  cleanedUp: { left: number }
  verdict: { findings: { id: string; violations: number }[]; orders: Record<string, number> }
}

/** The short form of `npm run chaos`: one replica of each consumer and few orders, so that it passes on a busy machine. */
test('every order ends and verify passes after half a minute of faults', async () => {
  const options = [
    '--seed',
    '3',
    '--minutes',
    '0.5',
    '--rate',
    '6',
    '--replicas',
    '1',
    '--port-base',
    '25500',
    '--json',
  ]
  const child = spawn(process.execPath, ['scripts/chaos.ts', ...options], {
    cwd: resolve(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  // Recovery times depend on the machine: `npm run chaos` judges them, this test judges the outcome only
  if (!stdout.startsWith('{')) throw new Error(`Exit code ${child.exitCode}\n${stderr}`)
  const report = JSON.parse(stdout) as ChaosJson
  expect(report.verdict.findings.filter(({ violations }) => violations > 0)).toEqual([])
  expect(report.faults.length).toBeGreaterThanOrEqual(2)
  expect(report.verdict.orders['completed']).toBeGreaterThan(0)
  expect(report.verdict.orders['pending'] ?? 0).toBe(0)
  expect(report.cleanedUp.left).toBe(0)
}, 420_000)
