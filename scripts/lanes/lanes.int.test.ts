import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { loadConsumer } from '../../consumers/runtime/load-consumer.ts'
import { orders } from '../../consumers/runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../consumers/runtime/testing/test-bench.ts'
import type { TestBench } from '../../consumers/runtime/testing/test-bench.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Running } from '../../infra/service.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'

const group = 'order-status'
let bench: TestBench
beforeAll(async () => void (bench = await openTestBench(group, '', 3)))
afterAll(async () => bench[Symbol.asyncDispose]())

async function lanes(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['scripts/lanes.ts', ...args], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: { ...bench.sandbox.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { exitCode: child.exitCode, stdout, stderr }
}

interface LaneJson {
  condition: string
  behind: number | null
  topics: { topic: string; position: string; end: string }[]
}
const seen = async (): Promise<LaneJson[]> => {
  const { stdout } = await lanes(['ls', group, '--json'])
  return (JSON.parse(stdout) as { consumers: [{ lanes: LaneJson[] }] }).consumers[0].lanes
}

/** A replica as it runs in production: its connections carry its name. */
async function replica(name: string): Promise<{ running: Running; pool: Pool }> {
  const { url } = bench.config.postgres
  const schema = `${bench.sandbox.namespace}order_status`
  const pool = createPool({ url, schema, name, log: bench.sandbox.log })
  return { running: await bench.replica(await loadConsumer(group, bench.config), name, { pool }), pool }
}

/** A server that is frozen: it accepts connections and says nothing. */
async function frozenServer(): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

test('who asks for what there is not is told what there is', async () => {
  expect(await lanes(['ls', 'paymen'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^No consumer "paymen": there are .*payment/),
  })
  expect(await lanes(['pause', group, '--lane', '3', '--why', 'x'])).toMatchObject({
    exitCode: 2,
    stderr: `${group} has no lane 3: there are 0 to 2\n`,
  })
  expect((await lanes(['pause', group])).exitCode).toBe(2) // Without a reason
  expect((await lanes(['pause', group, '--lane', 'all', '--why', 'x'])).exitCode).toBe(2)
})

test('a pause is obeyed, seen, kept by the next owner, and ended', async () => {
  const before = await lanes(['pause', group, '--lane', '0', '--why', 'before the start', '--by', 'ann'])
  expect(before).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('holds from the next start') })

  const { running, pool } = await replica('first')
  await waitUntil('the lanes are claimed', async () =>
    (await seen()).every(({ condition }, lane) => condition === (lane === 0 ? 'paused' : 'live')),
  )
  const others = await lanes(['pause', group, '--why', 'looking', '--actor', 'bob'])
  expect(others).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`${group} 0-2: paused`) })
  expect(others.stderr).toContain(`${group} 0: remains paused by ann`)
  expect(others.stderr).toContain(`${group} 1-2: pausing, by bob: looking`)

  await bench.publish(orders(30))
  const { stdout } = await lanes(['ls', group])
  expect(stdout).toMatch(/order-status +1 +3 paused +30 +0 +0 +0 +0/)
  expect(stdout).toMatch(/order-status 0 +paused by ann \d+ s ago: before the start/)
  expect(stdout).toMatch(/order-status 1-2 +paused by bob \d+ s ago: looking/)

  await running.stop()
  await pool.end()
  expect((await lanes(['ls', group])).stdout).toMatch(/order-status 1-2 +paused by bob .*\(no replica runs\)/)

  const second = await replica('second')
  expect(await lanes(['resume', group, '--lane', '1-2'])).toMatchObject({ exitCode: 0 })
  await waitUntil('two lanes are read to their ends', async () => {
    const [first, ...rest] = await seen()
    return first?.condition === 'paused' && rest.every((lane) => lane.condition === 'live' && lane.behind === 0)
  })
  const resumed = await lanes(['resume', group])
  expect(resumed).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`${group} 0: resumed`) })
  await bench.settled(['orders'])
  const { rows } = await bench.pool.query('select from order_status')
  expect(rows).toHaveLength(30)
  const orderTopic = async () => (await seen())[0]?.topics.find(({ topic }) => topic === 'orders')
  await waitUntil('the end is known', async () => typeof (await orderTopic())?.end === 'string')
  const { position, end } = (await orderTopic())!
  expect(position).toBe(end)
  expect((await lanes(['ls', group, '--all'])).stdout).toContain(`orders ${position}/${end}`)
  expect(await lanes(['resume', group])).toMatchObject({ stderr: `${group}: none of these lanes is paused\n` })
  await second.running.stop()
  await second.pool.end()
})

test('a frozen broker leaves only the lag unknown; a frozen database is named', async () => {
  await using frozen = await frozenServer()
  const address = `127.0.0.1:${frozen.port}`
  expect(await lanes(['ls', group], { TALLY_KAFKA_BROKERS: address })).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/order-status +0 +3 unowned +\?[^]*Kafka at [\d.:]+ does not answer within 3 s/),
  })
  expect(await lanes(['ls', group], { TALLY_DATABASE_URL: `postgres://tally@${address}/tally` })).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(/^PostgreSQL does not answer within 3 s$/m),
  })
})
