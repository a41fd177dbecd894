import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { Config } from '../../config.ts'
import { waitUntil } from '../../testing/wait-until.ts'
import { askSupervisor } from './control.ts'
import { isAlive } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { ProcessSpec } from './process-spec.ts'
import { findStack, stopStack } from './running-stack.ts'
import { startStack } from './supervisor.ts'
import { script, standIn, temporaryConfig } from './testing/stand-ins.ts'

let config: Config
let journal: string
beforeEach(() => {
  config = temporaryConfig()
  journal = join(config.dataDir, 'journal')
})
afterEach(async () => {
  await stopStack(config.dataDir)
  rmSync(config.dataDir, { recursive: true, force: true })
})

const replica = (consumer: string, number: number): ProcessSpec =>
  standIn(number === 1 ? consumer : `${consumer}-${number}`, { consumer }, journal)

/** One payment and one other; replicas from the fourth on do not start. */
const startOne = (joining: ProcessSpec[] = []) =>
  startStack(config, {
    processes: [replica('payment', 1), standIn('orders-api')],
    replicas: {
      consumers: () => ['payment', 'loyalty'],
      replica: (consumer, number) =>
        number < 4
          ? replica(consumer, number)
          : script(`${consumer}-${number}`, 'console.log("no memory"); process.exit(3)', { consumer }),
      joining: () => joining,
    },
  })

const scale = (replicas: Record<string, number>, startWithinMs = 10_000) =>
  askSupervisor(config.dataDir, 'scale', { withinMs: 20_000, argument: { replicas, startWithinMs } })

const running = async () =>
  (await findStack(config.dataDir))?.processes.map(({ name, state }) => (state === 'ready' ? name : `${name} ${state}`))

test('adds replicas, removes the last ones, and leaves the others alone', async () => {
  const stack = await startOne()
  const before = stack?.status().processes.at(0)?.identity as ProcessIdentity
  expect(await scale({ payment: 3 })).toEqual({ payment: 3 })
  expect(await running()).toEqual(['payment', 'payment-2', 'payment-3', 'orders-api'])
  expect(await scale({ payment: 1 })).toEqual({ payment: 1 })
  expect(await running()).toEqual(['payment', 'orders-api'])
  expect(readFileSync(journal, 'utf8').trim().split(' ').sort()).toEqual(['payment-2', 'payment-3'])
  expect(isAlive(before)).toBe(true)
})

test('restarts an added replica that was killed', async () => {
  await startOne()
  await scale({ payment: 2 })
  const second = async () => (await findStack(config.dataDir))?.processes.find(({ name }) => name === 'payment-2')
  process.kill((await second())?.identity?.pid as number, 'SIGKILL')
  await waitUntil('it is back', async () => (await second())?.restarts === 1 && (await second())?.state === 'ready')
})

test('keeps the number of replicas if one does not start, and reports the reason', async () => {
  await startOne()
  const failing = scale({ payment: 4 })
  await expect(failing).rejects.toMatchObject({ code: 'UNREACHABLE', message: expect.stringMatching(/no memory/) })
  await expect(failing).rejects.toMatchObject({
    message: expect.stringMatching(/Replicas as before: payment=1/),
  })
  expect(await running()).toEqual(['payment', 'orders-api'])
  expect(await scale({ payment: 2 })).toEqual({ payment: 2 })
})

test('ends a replica that is not ready in time', async () => {
  await startStack(config, {
    processes: [replica('payment', 1)],
    replicas: {
      consumers: () => ['payment'],
      replica: (consumer) => script('payment-2', 'setInterval(() => {}, 1000)', { consumer }),
      joining: () => [],
    },
  })
  await expect(scale({ payment: 2 }, 300)).rejects.toMatchObject({
    message: expect.stringMatching(/payment-2 was not ready within 0.3 s/),
  })
  expect(await running()).toEqual(['payment'])
})

test('runs the steps of a new consumer once, before its first replica, and removes it with 0', async () => {
  await startOne([
    script('deploy-loyalty', `require('node:fs').appendFileSync('${journal}', 'deployed ')`, { kind: 'step' }),
  ])
  await scale({ loyalty: 1 })
  await scale({ loyalty: 2 })
  expect(await running()).toEqual(['payment', 'orders-api', 'loyalty', 'loyalty-2'])
  expect(await scale({ loyalty: 0 })).toEqual({ payment: 1 })
  expect(readFileSync(journal, 'utf8')).toMatch(/^deployed (loyalty|loyalty-2) (loyalty|loyalty-2) $/)
})

test('starts no replica of a consumer if its step fails', async () => {
  await startOne([script('deploy-loyalty', 'process.exit(1)', { kind: 'step' })])
  await expect(scale({ loyalty: 1 })).rejects.toMatchObject({ message: expect.stringMatching(/loyalty=0/) })
  expect(await running()).toEqual(['payment', 'orders-api'])
})

test('runs one command at a time', async () => {
  const gate = join(config.dataDir, 'gate')
  await startStack(config, {
    processes: [replica('payment', 1)],
    replicas: {
      consumers: () => ['payment'],
      // Ready once the test has opened the gate, so that the first command still runs when the second arrives
      replica: (consumer, number) =>
        script(
          `${consumer}-${number}`,
          `process.on('SIGTERM', () => process.exit())
           const timer = setInterval(() => {
             if (!require('node:fs').existsSync('${gate}')) return
             clearInterval(timer)
             process.send({ type: 'ready' })
           }, 10)`,
          { consumer },
        ),
      joining: () => [],
    },
  })
  const first = scale({ payment: 2 }, 60_000)
  await waitUntil('the first command runs', async () => (await running())?.includes('payment-2 starting'))
  await expect(scale({ payment: 3 })).rejects.toMatchObject({
    code: 'BUSY',
    message: expect.stringMatching(/^Another scale/),
  })
  writeFileSync(gate, '')
  expect(await first).toEqual({ payment: 2 })
})

test.each([
  ['an unknown consumer', { pyament: 2 }, /No consumer "pyament": there are payment, loyalty/],
  ['too many replicas', { payment: 33 }, /cannot be scaled to/],
  ['a negative number', { payment: -1 }, /cannot be scaled to/],
  ['a fraction', { payment: 1.5 }, /cannot be scaled to/],
])('refuses %s and changes nothing', async (_what, replicas, sentence) => {
  await startOne()
  await expect(scale(replicas)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringMatching(sentence) })
  expect(await running()).toEqual(['payment', 'orders-api'])
  expect(existsSync(journal)).toBe(false)
})

test('a stack of another version reports that it does not know the command', async () => {
  await startStack(config, { processes: [replica('payment', 1)] })
  await expect(scale({ payment: 2 })).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
    message: expect.stringMatching(/another version of Tally/),
  })
})
