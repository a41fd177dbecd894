import { fork, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Config } from '../../config.ts'
import { waitUntil } from '../../testing/wait-until.ts'
import { identify, isAlive } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'
import { findStack, stopStack } from './running-stack.ts'
import { readStackRecord, writeRecord } from './stack-record.ts'
import type { ProcessStatus, StackStatus } from './stack-record.ts'
import { startStack } from './supervisor.ts'
import { script, standIn, temporaryConfig } from './testing/stand-ins.ts'

let config: Config
beforeEach(() => void (config = temporaryConfig()))
afterEach(async () => {
  await stopStack(config.dataDir)
  rmSync(config.dataDir, { recursive: true, force: true })
})

const find = (status: StackStatus | undefined, name: string): ProcessStatus => {
  const found = status?.processes.find((process) => process.name === name)
  if (!found) throw new Error(`no ${name} in ${JSON.stringify(status)}`)
  return found
}
const identityOf = (status: StackStatus | undefined, name: string) => find(status, name).identity as ProcessIdentity

describe('a running stack', () => {
  test('restarts a service that was killed, counts it, and leaves the others alone', async () => {
    const stack = await startStack(config, { processes: [standIn('payment'), standIn('shipping')] })
    const before = stack?.status()
    process.kill(identityOf(before, 'payment').pid, 'SIGKILL')
    const after = await waitUntil('payment is ready again', async () => {
      const status = await findStack(config.dataDir)
      return find(status, 'payment').restarts === 1 && find(status, 'payment').state === 'ready' && status
    })
    expect(find(after || undefined, 'payment').lastExit).toBe('SIGKILL')
    expect(identityOf(after || undefined, 'payment')).not.toEqual(identityOf(before, 'payment'))
    expect(find(after || undefined, 'shipping')).toEqual(find(before, 'shipping'))
  })

  test('stops services first, then simulators and servers in reverse order', async () => {
    const journal = join(config.dataDir, 'stopped')
    const stack = await startStack(config, {
      processes: [
        standIn('postgres', { kind: 'server' }, journal),
        standIn('kafka', { kind: 'server', after: ['postgres'] }, journal),
        standIn('gateway', { kind: 'simulator' }, journal),
        standIn('payment', { after: ['kafka'] }, journal),
      ],
    })
    await Promise.all([stack?.down(), stack?.down()])
    expect(readFileSync(journal, 'utf8')).toBe('payment gateway kafka postgres ')
    expect(await findStack(config.dataDir)).toBeUndefined()
  })

  test('kills a process that does not stop within its deadline', async () => {
    const deaf = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1e3); process.send({ type: "ready" })'
    const stack = await startStack(config, { processes: [script('deaf', deaf, { stopWithinMs: 100 })] })
    const identity = identityOf(stack?.status(), 'deaf')
    await stack?.down()
    expect(isAlive(identity)).toBe(false)
  })

  test('runs once per data folder, however many starts are concurrent', async () => {
    const start = () => startStack(config, { processes: [standIn('payment')] })
    const started = await Promise.all([start(), start(), start()])
    expect(started.filter((stack) => stack !== undefined)).toHaveLength(1)
  })
})

describe('a start', () => {
  test('waits only for the predecessors of a process', async () => {
    const order: string[] = []
    await startStack(config, {
      processes: [
        standIn('kafka', { kind: 'server', after: ['not in this stack'] }),
        script('migrate', '', { kind: 'step', after: ['kafka'] }),
        standIn('payment', { after: ['migrate'] }),
      ],
      onProgress: (line) => order.push(line.split(' ')[0] as string),
    })
    expect(order).toEqual(['kafka', 'migrate', 'payment'])
  })

  test('can be interrupted', async () => {
    const interrupt = new AbortController()
    const start = startStack(config, {
      processes: [
        standIn('kafka', { kind: 'server' }),
        script('never', 'setInterval(() => {}, 1e3)', { after: ['kafka'] }),
      ],
      onProgress: () => interrupt.abort(),
      signal: interrupt.signal,
    })
    await expect(start).rejects.toMatchObject({ name: 'AbortError' })
    expect(await findStack(config.dataDir)).toBeUndefined()
  })
})

describe('after its supervisor was killed', () => {
  const supervise = (): ChildProcess =>
    fork(join(import.meta.dirname, 'testing', 'stack-of-stand-ins.ts'), {
      env: { ...process.env, TALLY_DATA_DIR: config.dataDir },
      execArgv: [],
    })

  async function killedSupervisor(): Promise<{ server: ProcessIdentity; service: ProcessIdentity }> {
    const supervisor = supervise()
    expect(await once(supervisor, 'message')).toEqual(['started', undefined])
    const record = readStackRecord(config.dataDir)
    supervisor.kill('SIGKILL')
    await once(supervisor, 'exit')
    const left = { server: identityOf(record, 'server'), service: identityOf(record, 'service') }
    await waitUntil('the service has ended by itself', () => !isAlive(left.service))
    expect(isAlive(left.server)).toBe(true)
    return left
  }

  test('a new stack starts, and no process of the old one is left', async () => {
    const { server } = await killedSupervisor()
    const stack = await startStack(config, { processes: [standIn('server', { kind: 'server' })] })
    expect(isAlive(server)).toBe(false)
    expect(find(stack?.status(), 'server')).toMatchObject({ state: 'ready', restarts: 0 })
  })

  test('down ends the remaining processes', async () => {
    const { server } = await killedSupervisor()
    expect(await findStack(config.dataDir)).toBeUndefined()
    expect(await stopStack(config.dataDir)).toBe(true)
    expect(isAlive(server)).toBe(false)
    expect(await stopStack(config.dataDir)).toBe(false)
  })

  test('a process that reuses the pid of a dead one is left alone', async () => {
    await killedSupervisor()
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e3)'])
    await once(bystander, 'spawn')
    const identity = identify(bystander.pid as number) as ProcessIdentity
    const record = readStackRecord(config.dataDir) as StackStatus
    const recycled = { ...find(record, 'service'), identity: { ...identity, startTime: '1' } }
    writeRecord(config.dataDir, { ...record, processes: [find(record, 'server'), recycled] })
    await stopStack(config.dataDir)
    expect(isAlive(identity)).toBe(true)
    bystander.kill()
    await once(bystander, 'exit')
  })

  test('two starts at once clean up and start one stack', async () => {
    const { server } = await killedSupervisor()
    const answers = await Promise.all(
      [supervise(), supervise()].map(async (each) => String((await once(each, 'message'))[0])),
    )
    expect(answers.toSorted((a, b) => a.localeCompare(b))).toEqual(['running already', 'started'])
    expect(isAlive(server)).toBe(false)
    expect((await findStack(config.dataDir))?.state).toBe('running')
  })
})
