import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { Config } from '../../config.ts'
import { waitUntil } from '../../testing/wait-until.ts'
import { askSupervisor } from './control.ts'
import { nodeProcess } from './node-process.ts'
import type { ProcessSpec } from './process-spec.ts'
import { findStack, stopStack } from './running-stack.ts'
import { startStack } from './supervisor.ts'
import { temporaryConfig } from './testing/stand-ins.ts'

let config: Config
let folder: string
let journal: string
let code: string
beforeEach(async () => {
  config = temporaryConfig()
  folder = mkdtempSync(join(tmpdir(), 'tally-restart-'))
  journal = join(folder, 'journal')
  code = join(folder, 'code.cjs')
  deploy('v1')
  await startStack(config, {
    processes: [replica('payment', 1), replica('payment', 2), replica('inventory', 1)],
    replicas: { consumers: () => ['payment', 'inventory', 'loyalty'], replica, joining: () => [] },
  })
})
afterEach(async () => {
  await stopStack(config.dataDir)
  for (const dir of [config.dataDir, folder]) rmSync(dir, { recursive: true, force: true })
})

/** Sets the code of replicas that start from now on. They note their start and end in the journal. */
function deploy(version: string, beforeReady = ''): void {
  writeFileSync(
    code,
    `const name = process.argv[2]
     const note = (what) => require('node:fs').appendFileSync(${JSON.stringify(journal)}, name + ' ${version} ' + what + '\\n')
     process.on('SIGTERM', () => { note('ends'); process.exit() })
     process.on('disconnect', () => process.exit())
     ${beforeReady}
     setInterval(() => {}, 1000)
     note('up')
     process.send({ type: 'ready' })`,
  )
}

function replica(consumer: string, number: number): ProcessSpec {
  const name = number === 1 ? consumer : `${consumer}-${number}`
  return { ...nodeProcess(name, [code, name]), consumer }
}

const restart = (consumers: string[], startWithinMs = 10_000) =>
  askSupervisor(config.dataDir, 'restart', { withinMs: 20_000, argument: { consumers, startWithinMs } })
const processes = async () =>
  (await findStack(config.dataDir))?.processes.map(({ name, state, identity }) => `${name} ${state} ${identity?.pid}`)
const lines = () => readFileSync(journal, 'utf8').trim().split('\n')

test('each new replica runs the current code and is ready before the old one ends, one after the other', async () => {
  const before = await processes()
  deploy('v2')
  expect(await restart(['payment'])).toEqual(['payment', 'payment-2'])
  expect(lines().slice(3)).toEqual(['payment v2 up', 'payment v1 ends', 'payment-2 v2 up', 'payment-2 v1 ends'])
  const after = await processes()
  expect(after?.map((line) => line.replace(/\d+$/, ''))).toEqual(before?.map((line) => line.replace(/\d+$/, '')))
  expect(after?.filter((line) => before?.includes(line))).toEqual([expect.stringMatching(/^inventory ready/)])
})

test('a replaced replica is supervised as before', async () => {
  await restart(['inventory'])
  const inventory = async () => (await findStack(config.dataDir))?.processes.find(({ name }) => name === 'inventory')
  process.kill((await inventory())?.identity?.pid as number, 'SIGKILL')
  await waitUntil(
    'it is back',
    async () => (await inventory())?.restarts === 1 && (await inventory())?.state === 'ready',
  )
})

test('a new version that does not start changes nothing and is reported with the reason', async () => {
  const before = await processes()
  deploy('v2', 'throw new Error("no such table")')
  const failing = restart(['payment', 'inventory'])
  await expect(failing).rejects.toMatchObject({ code: 'UNREACHABLE', message: expect.stringMatching(/no such table/) })
  await expect(failing).rejects.toMatchObject({
    message: expect.stringMatching(/\nNothing was changed\. Still running: payment, payment-2, inventory$/),
  })
  expect(await processes()).toEqual(before)
  deploy('v3')
  expect(await restart(['inventory'])).toEqual(['inventory'])
})

test('a replica that is not ready in time ends the restart, and earlier ones stay replaced', async () => {
  const before = await processes()
  deploy('v2', 'if (name !== "payment") { setInterval(() => {}, 1000); return }')
  await expect(restart(['payment'], 1_000)).rejects.toMatchObject({
    message: expect.stringMatching(
      /payment-2 was not ready within 1 s.*\nRestarted before that: payment\. Still running: payment-2$/,
    ),
  })
  expect((await processes())?.map((line, index) => line === before?.[index])).toEqual([false, true, true])
})

test('is refused while another command runs', async () => {
  const scaling = askSupervisor(config.dataDir, 'scale', {
    withinMs: 20_000,
    argument: { replicas: { payment: 3 }, startWithinMs: 10_000 },
  })
  const [first, second] = await Promise.allSettled([scaling, restart(['payment'])])
  expect([first, second].filter(({ status }) => status === 'rejected')).toEqual([
    expect.objectContaining({ reason: expect.objectContaining({ message: expect.stringMatching(/^Another scale/) }) }),
  ])
})

test.each([
  ['an unknown consumer', ['pyament'], /^No consumer "pyament": there are payment, /],
  ['one that does not run', ['payment', 'loyalty'], /^loyalty does not run: `npm run scale -- loyalty=1` starts it/],
  ['nothing', [], /^This cannot be restarted/],
])('refuses %s and changes nothing', async (_what, consumers, sentence) => {
  const before = await processes()
  await expect(restart(consumers)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringMatching(sentence) })
  expect(await processes()).toEqual(before)
})
