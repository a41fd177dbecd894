import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Config } from '../../config.ts'
import { waitUntil } from '../../testing/wait-until.ts'
import { isAlive } from './process-identity.ts'
import type { ProcessIdentity } from './process-identity.ts'
import { stopStack } from './running-stack.ts'
import type { ProcessSpec } from './process-spec.ts'
import { readStackRecord } from './stack-record.ts'
import type { ProcessStatus, StackStatus } from './stack-record.ts'
import { startStack } from './supervisor.ts'
import { script, standIn, temporaryConfig } from './testing/stand-ins.ts'

let config: Config
beforeEach(() => void (config = temporaryConfig()))
afterEach(async () => {
  await stopStack(config.dataDir)
  rmSync(`${config.dataDir}.cause`, { force: true })
  rmSync(config.dataDir, { recursive: true, force: true })
})

const find = (status: StackStatus | undefined, name: string): ProcessStatus => {
  const found = status?.processes.find((process) => process.name === name)
  if (!found) throw new Error(`no ${name} in ${JSON.stringify(status)}`)
  return found
}
const identityOf = (status: StackStatus | undefined, name: string) => find(status, name).identity as ProcessIdentity

describe('a start', () => {
  test('fails with the end of the log if a step fails, and stops the started processes', async () => {
    const processes = [
      standIn('kafka', { kind: 'server' }),
      script('migrate', 'console.log("column is gone"); process.exit(1)', { kind: 'step', after: ['kafka'] }),
      standIn('payment', { after: ['migrate'] }),
    ]
    let kafka: ProcessIdentity | undefined
    const onProgress = () => (kafka ??= identityOf(readStackRecord(config.dataDir), 'kafka'))
    await expect(startStack(config, { processes, onProgress })).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: 'migrate failed (exit code 1): column is gone. Its log: `npm run stack -- logs migrate`',
    })
    expect(isAlive(kafka as unknown as ProcessIdentity)).toBe(false)
    expect(readStackRecord(config.dataDir)).toBeUndefined()
  })

  test('tries once more if a cache was dropped, not again and again', async () => {
    let [starts, dropped] = [0, 0]
    const fails = script('kafka', 'console.error("Error: damaged"); process.exit(1)', { kind: 'server' })
    const kafka: ProcessSpec = {
      ...fails,
      prepare: (progress) => (starts++, fails.prepare(progress)),
      recover: () => ++dropped < 4, // The next attempt fills the cache before it fails
    }
    await expect(startStack(config, { processes: [kafka] })).rejects.toMatchObject({
      message: 'kafka ended while starting (exit code 1): Error: damaged. Its log: `npm run stack -- logs kafka`',
    })
    expect({ starts, dropped }).toEqual({ starts: 2, dropped: 1 })
  })

  test('ends at once if waiting cannot help, also for a service', async () => {
    const full = 'console.error("FATAL ERROR: ENOSPC: no space left on device"); setInterval(() => {}, 1e3)'
    for (const kind of ['server', 'service'] as const)
      await expect(startStack(config, { processes: [script('full', full, { kind })] })).rejects.toMatchObject({
        message: expect.stringMatching(/^full cannot start: .*no space left on device\. Free space on the disk/),
      })
  })

  test('says what keeps a process from becoming ready, once', async () => {
    const said: string[] = []
    const slow = `
      const say = (n) => console.log(JSON.stringify({ level: 40, msg: 'no answer', error: 'attempt ' + n }))
      for (let n = 0; n < 10; n++) setTimeout(say, n * 500, n)
      setTimeout(() => process.send({ type: 'ready' }), 5_500)
      setInterval(() => {}, 1e3)`
    const stack = await startStack(config, { processes: [script('slow', slow)], onProgress: (line) => said.push(line) })
    expect(said).toEqual([
      expect.stringMatching(/^slow is not ready after \d+ s: no answer: attempt \d\. Its log: /),
      expect.stringMatching(/^slow … /),
    ])
    await stack?.down()
  })

  test('reports an occupied port and what to do, before anything runs', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const start = startStack(config, { processes: [standIn('api', { title: 'Orders API', ports: [port] })] })
    await expect(start).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(new RegExp(`^Port ${port}, needed by Orders API, is in use: .*TALLY_PORT_BASE`)),
    })
    other.close()
  })
})

describe('a service that fails again and again', () => {
  test('survives a service that never gets ready, and retries it with growing delays', async () => {
    const said: string[] = []
    const stack = await startStack(config, {
      processes: [standIn('payment'), script('broken', 'console.log("no such table"); process.exit(3)')],
      onProgress: (line) => said.push(line),
    })
    await waitUntil('two restarts', () => find(stack?.status(), 'broken').restarts >= 2)
    expect(find(stack?.status(), 'payment')).toMatchObject({ state: 'ready', restarts: 0 })
    expect(said.filter((line) => line.includes('broken'))).toEqual([
      expect.stringMatching(
        /broken ended while starting \(exit code 3\): no such table\. Its log: .* \(attempt 1, again in 0.25 s\)$/,
      ),
      expect.stringMatching(/broken ended while starting .*: no such table\. .* \(attempt 2, again in 0.5 s\)$/),
    ])
  })

  test('tells of a service that crashes in a loop twice, and again when the cause changes', async () => {
    const said: string[] = []
    const file = `${config.dataDir}.cause`
    writeFileSync(file, 'no such table')
    const code = `
      process.send({ type: 'ready' })
      console.error(new Error(require('node:fs').readFileSync(${JSON.stringify(file)}, 'utf8') + ' ' + process.pid))
      setTimeout(() => process.exit(1), 10)`
    const stack = await startStack(config, {
      processes: [script('looping', code)],
      onProgress: (line) => said.push(line),
    })
    await waitUntil('four restarts', () => find(stack?.status(), 'looping').restarts >= 4)
    const lines = () => said.filter((line) => / looping (ended|is ready)/.test(line))
    expect(lines()).toEqual([
      expect.stringMatching(
        /looping ended \(exit code 1\): Error: no such table \d+\. .*\(attempt 1, again in 0.25 s\)/,
      ),
      expect.stringMatching(/looping is ready again/),
      expect.stringMatching(
        /looping ended \(exit code 1\): Error: no such table \d+\. .*\(attempt 2, again in 0.5 s\)/,
      ),
    ])
    writeFileSync(file, 'no such column')
    await waitUntil('the new cause is told', () => lines().length > 3)
    expect(lines()[3]).toMatch(/Error: no such column/)
  })
})
