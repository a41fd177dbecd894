import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { loadConsumer } from '../../consumers/runtime/load-consumer.ts'
import { planId } from '../../consumers/operations/replay/plan/plan-id.ts'
import type { Plan } from '../../consumers/operations/replay/plan.ts'
import { orders } from '../../consumers/runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../consumers/runtime/testing/test-bench.ts'
import type { TestBench } from '../../consumers/runtime/testing/test-bench.ts'

let bench: TestBench
let folder: string

beforeAll(async () => {
  bench = await openTestBench('order-status', '')
  await bench.replica(await loadConsumer('order-status', bench.config))
  await bench.publish(orders(40))
  await bench.settled(['orders'])
  folder = await mkdtemp(join(tmpdir(), 'tally-plan-'))
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function replay(...args: string[]) {
  const child = spawn(process.execPath, ['scripts/replay.ts', ...args], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: bench.sandbox.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { exitCode: child.exitCode, stdout, stderr }
}

const plan = (...args: string[]) => replay('plan', '--group', 'order-status', ...args)

test('a plan is shown and written, and can be run as it is told', async () => {
  const [file, csv] = [join(folder, 'plan.json'), join(folder, 'offsets.csv')]
  const made = await plan('--mode', 'redeliver', '--out', file, '--csv', csv)
  expect(made).toMatchObject({ exitCode: 0 })
  expect(made.stdout).toMatch(/^redeliver of order-status: 40 events chosen of 40 records, /)
  expect(made.stdout).toMatch(/\ntopic +partitions +records +chosen +size +lost +handled +known\n/)
  expect(made.stdout).toMatch(/\norders +3 +40 +40 +[\d.]+ kB +0 +40 +40\n +written: .*Z to .*Z\n/)
  expect(made.stdout).toMatch(/\n *\d+ +OrderPlaced +40 +0 +0 +readable\n/)
  expect(made.stdout).toContain('Moves order-status back')
  const { namespace } = bench.sandbox
  const name = `--group ${namespace}order-status --reset-offsets --from-file ${csv} --dry-run`
  expect(made.stdout.replaceAll(/ \\\n +/g, ' ')).toContain(name)
  expect(await readFile(csv, 'utf8')).toBe([0, 1, 2].map((n) => `${namespace}orders,${n},0\n`).join(''))
  const next = `npm run replay -- run ${file} --why "…"`
  expect(made.stdout.replaceAll(/ \\\n +/g, ' ')).toContain(next)
  expect(made.stdout).not.toContain('refused')

  expect(await plan('--mode', 'redeliver', '--out', file)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('--force overwrites it'),
  })
  const before = await readFile(file, 'utf8')
  expect(await plan('--mode', 'redeliver', '--out', file, '--force')).toMatchObject({ exitCode: 0 })
  expect(await readFile(file, 'utf8')).not.toBe(before)

  const run = await replay('run', file, '--why', 'is anything missing?', '--yes')
  expect(run).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('40 events redelivered, nothing changed: 40 duplicates'),
  })
  await writeFile(file, before.replace('"lost": 0', '"lost": 1'))
  const edited = await replay('run', file, '--why', 'a test', '--yes')
  expect(edited).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('was changed since it was made') })

  const { id: _id, ...said } = JSON.parse(before) as Plan
  const older = { ...said, cluster: { ...said.cluster, partitions: 12 } }
  await writeFile(file, JSON.stringify({ ...older, id: planId(older) }))
  expect(await replay('rehearse', file)).toMatchObject({
    ...{ exitCode: 1, stdout: '' },
    stderr: expect.stringContaining(
      'The plan is no longer valid: the plan was made with 12 partitions, now there are 3',
    ),
  })
})

test('what would be refused is told with the plan; --json is the plan and nothing else', async () => {
  const chosen = ['--mode', 'reprocess', '--topic', 'orders', '--type', 'OrderPlaced', '--header', 'ce_source=/test']
  const made = await plan(...chosen, '--from', '-2h', '--json')
  expect(made.exitCode).toBe(0)
  const { selector, partitions } = JSON.parse(made.stdout) as Plan
  expect(selector).toEqual({ types: ['OrderPlaced'], headers: [{ name: 'ce_source', value: '/test' }] })
  expect(partitions.reduce((sum, { selected }) => sum + selected, 0)).toBe(40)
  const rebuild = await plan('--mode', 'rebuild', '--topic', 'orders')
  expect(rebuild).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/It would be\s+refused now\. Nothing was written[^]*\n {2}- the plan leaves out/),
  })
})

test.each([
  [['--mode', 'redeliver', '--from', '2098-01-01T00:00:00Z'], 2, 'lies in the future'],
  [['--mode', 'redeliver', '--from', 'yesterday'], 2, 'is not a valid start or end of a range'],
  [['--mode', 'sideways'], 2, 'Allowed choices are redeliver, rebuild, reprocess, copy'],
  [['--mode', 'reprocess', '--type', 'OrderPlace'], 2, 'Did you mean OrderPlaced?'],
  [['--mode', 'redeliver', '--topic', 'orders', '--from', '1:9999'], 2, 'there is no 9999 yet'],
  [['--mode', 'redeliver', '--group', 'nobody'], 2, 'No consumer "nobody"'],
  [['--mode', 'redeliver', '--group', 'payment'], 1, 'payment: no tables yet'],
  [['--mode', 'redeliver', '--topic', 'oders'], 2, 'does not read oders'],
])('%p ends with exit code %i and a sentence', async (args, exitCode, sentence) => {
  expect(await plan(...args)).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(sentence) })
})
