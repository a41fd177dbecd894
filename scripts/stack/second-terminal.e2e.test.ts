import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { Output, TestStack } from '../testing/test-stack.ts'

describe('a terminal without the variables that the stack was started with', () => {
  let stack: TestStack
  beforeAll(async () => {
    stack = await createTestStack(31_800, { TALLY_PARTITIONS: '2', TALLY_API_PORT: '31805' })
    await stack.start()
  })
  afterAll(() => stack?.close())

  /** Runs a command that knows the data folder and nothing else. */
  const second = async (env: NodeJS.ProcessEnv, script: string, ...args: string[]): Promise<Output> => {
    const { PATH, HOME } = process.env
    const child = spawn(process.execPath, [`scripts/${script}.ts`, ...args], {
      cwd: resolve(import.meta.dirname, '../..'),
      env: { PATH, HOME, TALLY_DATA_DIR: stack.config.dataDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    return { exitCode: child.exitCode, stdout, stderr }
  }

  test('commands work on that stack: servers, namespace, ports', async () => {
    const { namespace, pool } = stack.sandbox
    succeeded(await second({}, 'produce', 'StockReplenished', '--count', '200'))
    succeeded(await second({}, 'produce', 'OrderPlaced', '--count', '5', '--seed', '1', '--via', 'api'))
    await waitUntil('the orders have ended', async () => {
      const ended = `select 1 from "${namespace}order_status".order_status where status in ('completed', 'rejected', 'cancelled')`
      return (await pool.query(ended)).rowCount === 5
    })
    const shown = JSON.parse(succeeded(await second({}, 'lanes', 'ls', '--json')))
    expect(shown.consumers.map(({ lanes }: { lanes: unknown[] }) => lanes.length)).toEqual([2, 2, 2, 2, 2])
    succeeded(await second({}, 'parked', 'ls'))
    succeeded(await second({}, 'partitions'))
    succeeded(await second({}, 'replay', 'list'))
    succeeded(await second({}, 'scale', '--json'))
    succeeded(await second({}, 'deploy'))
    succeeded(await second({}, 'stack', 'status'))
    expect(succeeded(await second({}, 'start'))).toBe('')
    succeeded(await second({}, 'verify'))
  })

  test('a variable that is set applies, and the command says that it contradicts the stack', async () => {
    const { stderr } = await second({ TALLY_NAMESPACE: 'other_' }, 'lanes', 'ls')
    expect(stderr).toContain('another value of TALLY_NAMESPACE: the ones set here apply')
  })

  test('a command on another data folder names the one on which a stack runs', async () => {
    const nothing = { TALLY_DATA_DIR: '/tmp/tally-nothing-runs-here', TALLY_PORT_BASE: '31900' }
    const { exitCode, stderr } = await second(nothing, 'lanes', 'ls')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('PostgreSQL does not answer at 127.0.0.1:31932')
    expect(stderr).toContain('A stack of this checkout runs on another data folder: TALLY_DATA_DIR=')
  })
})
