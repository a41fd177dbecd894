import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import { queueServers } from '../../../infra/queue-settings.ts'
import { canTest } from '../../../infra/testing/queues/start-queues.ts'
import type { QueueAccount } from './queue-account.ts'

interface ChaosJson {
  verdict: { findings: { id: string; violations: number }[] }
  queues: Record<string, QueueAccount>
  cleanedUp: { left: number }
}

const doors = queueServers.filter(canTest)
const onQueues = doors.length > 0 ? test : test.skip

onQueues(
  'each message is one order and each event comes out, whatever is killed and frozen',
  async () => {
    const options = [
      '--seed',
      '2',
      '--minutes',
      '1',
      '--rate',
      '8',
      '--replicas',
      '1',
      '--port-base',
      '25700',
      '--json',
    ]
    const child = spawn(process.execPath, ['scripts/chaos.ts', '--door', doors.join(','), ...options], {
      cwd: resolve(import.meta.dirname, '../../..'),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    if (!stdout.startsWith('{')) throw new Error(`Exit code ${child.exitCode}\n${stderr}`)
    const { verdict, queues, cleanedUp } = JSON.parse(stdout) as ChaosJson
    // Recovery times depend on the machine: `npm run chaos` judges them, this test judges the outcome only
    expect(verdict.findings.filter(({ violations }) => violations > 0)).toEqual([])
    for (const door of doors) {
      expect(queues[door]).toMatchObject({ violations: [] })
      expect(queues[door]?.orders).toBeGreaterThan(0)
      expect(queues[door]?.forwarded).toBeGreaterThan(0)
    }
    expect(cleanedUp.left).toBe(0)
  },
  900_000,
)
