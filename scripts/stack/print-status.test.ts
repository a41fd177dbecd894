import { test } from '@jest/globals'
import type { ProcessStatus, StackStatus } from '../../infra/stack/supervisor/stack-record.ts'
import { expectReport } from '../testing/expect-report.ts'
import { statusReport } from './print-status.ts'
import type { Probed } from './probe-stack.ts'

const startedAt = '2026-03-01T18:00:00.000Z'
const now = Date.parse(startedAt) + 7_300_000

const started = (
  name: string,
  pid: number,
  more: Partial<Omit<ProcessStatus, 'stopSignal' | 'stopWithinMs'>> = {},
): ProcessStatus => ({
  ...{ name, title: name, kind: 'service', state: 'ready', since: startedAt, restarts: 0 },
  ...{ identity: { pid } as never, stopSignal: 'SIGTERM', stopWithinMs: 5_000, ...more },
})

const status: StackStatus = {
  version: 1,
  state: 'running',
  startedAt,
  supervisor: { pid: 4_000 } as never,
  addresses: {
    api: 'http://127.0.0.1:20080',
    registry: 'http://127.0.0.1:20081',
    kafka: '127.0.0.1:20092',
    postgres: '127.0.0.1:20032',
  },
  processes: [
    started('postgres', 4_001, { ports: [20_032] }),
    started('deploy', 0, { kind: 'step', state: 'done', identity: undefined }),
    started('orders-api', 4_002, { ports: [20_080] }),
    started('order-status-2', 412_345, { restarts: 1_204, lastExit: 'exit code 1, 12 s ago' }),
    started('payment', 4_003, { state: 'failed', identity: undefined, lastExit: 'signal SIGKILL' }),
  ],
}
const health: Probed['health'] = { groups: [], undeployed: [], orders: undefined, brokerTrouble: undefined }
const look = { memoryOf: (pid: number) => pid * 1_000, now }

test('a running stack', () => expectReport(statusReport(status, { silent: new Map(), health }, look)))
test('a stack in which a process comes back after a crash', () =>
  expectReport(
    statusReport(
      { ...status, processes: [...status.processes, started('rabbitmq', 4_009, { state: 'starting', restarts: 1 })] },
      { silent: new Map(), health },
      look,
    ),
  ))
test('a stack with processes that do not answer', () =>
  expectReport(
    statusReport(
      status,
      {
        silent: new Map([['orders-api', 'The orders API does not answer within 3 s']]),
        health:
          'PostgreSQL does not answer at 127.0.0.1:20032: start the stack with `npm start`, or set TALLY_DATABASE_URL',
      },
      look,
    ),
  ))
