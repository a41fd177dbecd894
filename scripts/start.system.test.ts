import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { serverHome } from '../infra/stack/supervisor/data-dir.ts'
import { waitUntil } from '../infra/testing/wait-until.ts'
import { blocksOf } from './testing/docs/blocks.ts'
import { succeeded } from './testing/test-stack.ts'

const portBase = 31_400
const longMs = 480_000
/** No order may end otherwise by chance. */
const startedWith = {
  TALLY_PORT_BASE: String(portBase),
  TALLY_GATEWAY_DECLINE_RATE: '0',
  TALLY_CARRIER_REFUSE_RATE: '0',
}

/** `npm start` as a newcomer runs it, with servers of its own. */
describe('npm start', () => {
  let dataDir: string
  const children = new Set<ChildProcess>()
  beforeAll(() => void (dataDir = mkdtempSync(join(tmpdir(), 'tally-start-'))))
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL') // The next command ends what it left
    await run('stack', 'down')
    rmSync(serverHome(dataDir), { recursive: true, force: true })
    rmSync(dataDir, { recursive: true, force: true })
  })

  const launch = (script: string, args: readonly string[]) => {
    const env = script === 'start' ? startedWith : {} // The others find the running stack
    const { PATH, HOME } = process.env
    const child = spawn(process.execPath, [`scripts/${script}.ts`, ...args], {
      cwd: resolve(import.meta.dirname, '..'),
      env: { PATH, HOME, TALLY_DATA_DIR: dataDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }
  const run = async (script: string, ...args: string[]) => {
    const child = launch(script, args)
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    return { exitCode: child.exitCode, stdout, stderr }
  }
  const start = async () => {
    const child = launch('start', [])
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk))
    const ended = once(child, 'exit')
    await waitUntil('the stack runs', async () => said.includes('Ctrl-C stops it.') || child.exitCode !== null, {
      withinMs: longMs,
    })
    const stop = async () => (child.kill('SIGINT'), void (await ended))
    return { said: () => said, stop, [Symbol.asyncDispose]: stop }
  }
  const shell = async (commands: string) => {
    const bash = spawn('bash', ['-euo', 'pipefail', '-c', commands], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [stdout] = await Promise.all([text(bash.stdout), once(bash, 'exit')])
    return { exitCode: bash.exitCode, stdout }
  }
  /** Lines of all logs that are warnings or worse, of services and servers. */
  const warnings = () =>
    readdirSync(join(dataDir, 'logs')).flatMap((name) =>
      readFileSync(join(dataDir, 'logs', name), 'utf8')
        .split('\n')
        .filter((line) => /"level":[456]0|\b(WARN|WARNING|ERROR|FATAL|PANIC)\b/.test(line))
        .filter((line) => !line.includes('terminating autovacuum process')) // PostgreSQL stops one so, if it runs
        .map((line) => `${name}: ${line}`),
    )

  test(
    'a first start, load, change of replicas and stop log no warning; the first call of the guide is answered',
    async () => {
      await using stack = await start()
      expect(stack.said()).toContain('The catalogue has 200 articles of the demo, with stock.')
      const [first] = blocksOf('docs/producing.md')
      expect(first?.text).toContain('curl')
      const { exitCode, stdout } = await shell(
        first?.text.replaceAll('localhost:28080', `localhost:${portBase + 80}`) ?? '',
      )
      expect(exitCode).toBe(0)
      const { orderId } = JSON.parse(stdout.slice(stdout.indexOf('{"orderId"'))) as { orderId: string }
      await waitUntil(
        'the order is completed',
        async () => {
          const order = await (await fetch(`http://127.0.0.1:${portBase + 80}/orders/${orderId}`)).text()
          if (order.includes('"completed"')) return true
          throw new Error(order)
        },
        { withinMs: 120_000 },
      )
      succeeded(await run('scale', 'payment=3'))
      succeeded(await run('produce', 'OrderPlaced', '--count', '200', '--seed', '5'))
      succeeded(await run('scale', 'payment=1'))
      succeeded(await run('verify', '--settle', '120'))
      await stack.stop()
      expect(warnings()).toEqual([])
    },
    longMs,
  )

  test(
    'a second start logs no warning and leaves the catalogue as it is',
    async () => {
      await using stack = await start()
      expect(stack.said()).not.toContain('catalogue')
      await stack.stop()
      expect(warnings()).toEqual([])
    },
    longMs,
  )

  /** Breaks a file for one start. */
  const withDamage = async (path: string, content: string) => {
    const good = readFileSync(path)
    writeFileSync(path, content) // Its owner stays: PostgreSQL may run as another user
    const began = performance.now()
    const { exitCode, stderr } = await run('start')
    writeFileSync(path, good)
    return { exitCode, last: stderr.trim().split('\n').at(-1), tookMs: performance.now() - began }
  }

  test.each([
    [
      'PostgreSQL data of another version',
      () => join(serverHome(dataDir), 'data', 'PG_VERSION'),
      '17\n',
      /^PostgreSQL .*: database files are incompatible.* The data is of another version: /,
    ],
    [
      'a damaged database',
      () => join(serverHome(dataDir), 'data', 'global', 'pg_control'),
      '',
      /^PostgreSQL .*pg_control.* The data is damaged: /,
    ],
    [
      'damaged data of Kafka',
      () => kafkaFile('meta.properties'),
      'garbage',
      /^Kafka .*node ID not found.* The data is damaged: /,
    ],
  ])(
    '%s ends it at once with one sentence',
    async (_, path, content, sentence) => {
      const { exitCode, last, tookMs } = await withDamage(path(), content)
      expect(exitCode).toBe(1)
      expect(last).toMatch(sentence)
      expect(last).toContain('npm run stack -- reset')
      expect(tookMs).toBeLessThan(60_000)
    },
    longMs,
  )

  const kafkaFile = (name: string) => {
    const kafka = join(dataDir, 'kafka')
    const version = readdirSync(kafka).find((each) => /^\d/.test(each)) ?? ''
    return join(kafka, version, 'data', name)
  }
})
