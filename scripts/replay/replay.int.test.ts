import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { loadConsumer } from '../../consumers/runtime/load-consumer.ts'
import { groupStanding } from '../../consumers/operations/replay/reading/group-standing.ts'
import type { Plan } from '../../consumers/operations/replay/plan.ts'
import { openReplayFrame } from '../../consumers/operations/replay/testing/replay-frame.ts'
import type { ReplayFrame } from '../../consumers/operations/replay/testing/replay-frame.ts'
import { orders } from '../../consumers/runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../consumers/runtime/testing/test-bench.ts'
import type { TestBench } from '../../consumers/runtime/testing/test-bench.ts'
import type { Running } from '../../infra/service.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'

let bench: TestBench
let frame: ReplayFrame
let replica: Running
let folder: string

beforeAll(async () => {
  bench = await openTestBench('order-status', '')
  const consumer = await loadConsumer('order-status', bench.config)
  replica = await bench.replica(consumer)
  await bench.publish(orders(40))
  await bench.settled(['orders'])
  frame = await openReplayFrame(bench, consumer)
  folder = await mkdtemp(join(tmpdir(), 'tally-replay-'))
})
afterAll(async () => {
  await frame[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function launch(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['scripts/replay.ts', ...args], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: bench.sandbox.env,
    stdio: ['ignore', 'pipe', 'pipe'], // Nobody to ask
  })
}

async function output(child: ChildProcess) {
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')])
  return { exitCode: child.exitCode, stdout, stderr }
}

const replay = (...args: string[]) => output(launch(...args))

const linesOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

const listed = async () =>
  (JSON.parse((await replay('list', '--json')).stdout) as { replays: { id: number; state: string }[] }).replays

/** Writes the plan to take all orders again. */
async function planFile(more: Partial<Plan> = {}, topics = ['orders']): Promise<string> {
  const path = join(folder, `${more.mode ?? 'redeliver'}.json`)
  await writeFile(path, JSON.stringify(await frame.plan(topics, more)))
  return path
}

test('nothing was replayed yet; what cannot be asked for is said', async () => {
  expect(await replay()).toEqual({ exitCode: 0, stdout: 'No replay has been run yet.\n', stderr: '' })
  const plan = await planFile()
  expect(await replay('run', plan)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--why') })
  expect(await replay('run', plan, '--why', 'a test')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/^redeliver of 40 events(.|\n)*add --yes/),
  })
  expect(await replay('run', plan, '--why', 'a test', '--until', 'soon')).toMatchObject({ exitCode: 2 })
  const refused = await replay('run', plan, '--why', 'a test', '--rate', '5', '--max', '3', '--yes')
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
  expect(refused.stderr).toMatch(/nothing was changed:\n {2}- --rate does not apply.*\n {2}- --max does not apply/)
  expect(await replay('resume', '99')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('no replay 99') })
  expect(await listed()).toEqual([])
})

test('taking everything again changes nothing, and says so with figures', async () => {
  const plan = await planFile()
  const before = await groupStanding(frame.context.pool, (await frame.plan(['orders'])).partitions)
  const done = await replay('run', plan, '--why', 'is anything missing?', '--actor', 'ada', '--yes')
  expect(done).toMatchObject({ exitCode: 0, stdout: '' })
  expect(done.stderr).toContain('40 events redelivered, nothing changed: 40 duplicates')
  expect(await groupStanding(frame.context.pool, (await frame.plan(['orders'])).partitions)).toEqual(before)
  const [{ id } = { id: 0 }] = await listed()
  const list = await replay('list')
  expect(list.stdout).toMatch(/redeliver +order-status +done +100 % +ada [^]* is anything missing\?/)
  const shown = JSON.parse((await replay('show', String(id), '--json')).stdout) as { partitions: { from: unknown }[] }
  expect(shown).toMatchObject({ actor: 'ada', why: 'is anything missing?', figures: { duplicates: 40, taken: 0 } })
  expect(shown.partitions[0]!.from).toBe('0')
  expect((await replay('show', String(id), '--partitions')).stdout).toContain('orders/0')
  expect(await replay('undo', String(id))).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('add --yes') })
  expect(await replay('undo', String(id), '--yes')).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('every lane had resumed'),
  })
  expect((await listed())[0]).toMatchObject({ id, state: 'undone' })
})

test('limited it ends there with exit code 0 and says how to go on; --json tells the same to machines', async () => {
  const plan = await planFile({ mode: 'reprocess' })
  const first = await replay('run', plan, '--why', 'a first look', '--max', '15', '--yes', '--json')
  expect(first).toMatchObject({ exitCode: 0 })
  const events = linesOf(first.stdout)
  const { id } = events[0] as { id: number }
  expect(events[0]).toEqual({ event: 'begun', id, mode: 'reprocess' })
  expect(events.at(-1)).toMatchObject({ event: 'ended', state: 'paused', because: 'limit', selected: 15 })
  const rest = await replay('resume', String(id))
  expect(rest).toMatchObject({ exitCode: 0 })
  expect(rest.stderr).toContain('40 handled')
  expect(await replay('undo', String(id))).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('reprocess cannot be undone'),
  })
}, 60_000)

test('a rebuild equals what it replaces, and can be undone', async () => {
  const states = async () => (await bench.pool.query('select order_id, status from order_status order by 1')).rows
  const before = await states()
  const plan = await planFile({ mode: 'rebuild' }, ['orders', 'payments', 'inventory', 'shipping'])
  const done = await replay('run', plan, '--why', 'a new column', '--yes')
  expect(done).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('states written; the new tables are in place'),
  })
  expect(await states()).toEqual(before)
  const [{ id } = { id: 0 }] = await listed()
  expect(await replay('undo', String(id), '--yes')).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('the former tables are back'),
  })
  expect(await states()).toEqual(before)
}, 60_000)

test('stopped by a signal it is paused; killed it has died; paused and cancelled from elsewhere', async () => {
  await replica.stop() // Nobody takes anything, so that it cannot end
  const plan = await planFile()
  const begin = async (...args: string[]) => {
    const child = launch(...args, '--json')
    const ended = output(child)
    await once(child.stdout!, 'data')
    return { child, ended }
  }
  const { child, ended } = await begin('run', plan, '--why', 'a test', '--yes')
  child.kill('SIGINT')
  expect(await ended).toMatchObject({ exitCode: 130, stdout: expect.stringContaining('"because":"signal"') })
  const [{ id } = { id: 0 }] = await listed()

  const killed = await begin('resume', String(id))
  expect(await replay('run', plan, '--why', 'a second', '--yes')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`replay ${id} of order-status is running`),
  })
  killed.child.kill('SIGKILL')
  await killed.ended
  await waitUntil('it is seen to have died', async () => (await listed())[0]?.state === 'died')

  const third = await begin('resume', String(id))
  expect(await replay('pause', String(id))).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining(`Next: npm run replay -- resume ${id}`),
  })
  expect(await third.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"because":"asked"') })

  const last = await begin('resume', String(id))
  expect(await replay('cancel', String(id), '--yes', '--json')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('"state":"cancelled"'),
  })
  expect(await last.ended).toMatchObject({ exitCode: 0 })
  expect(await replay('resume', String(id))).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('cancelled'),
  })
}, 120_000)

test.each(['plan', 'rehearse', 'run', 'resume', 'pause', 'cancel', 'undo', 'list', 'show'])(
  '%s explains itself, with an example',
  async (name) => {
    expect(await replay(name, '--help')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Usage:[^]*\nExamples:/),
    })
  },
)
