import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findStack } from '../../infra/stack/supervisor/running-stack.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { copyCheckout } from '../mutate/working-copy.ts'
import type { WorkingCopy } from '../mutate/working-copy.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'

/** A replica of it takes one batch at a time and 50 orders per second, most of which it waits: what more replicas are good for. */
const loyalty = {
  'consumer.ts': `
    import { defineConsumer } from '../runtime/handler.ts'
    import { points } from './points-table.ts'

    export default () =>
      defineConsumer({
        group: 'loyalty',
        effects: 'none',
        state: points,
        handlers: { OrderPlaced: (_order, earned) => ({ state: earned + 1 }) },
      })`,
  'points-table.ts': `
    import type { StateTable } from '../runtime/state-table.ts'

    export const points: StateTable<number> = {
      initial: () => 0,
      async load(tx, keys) {
        await tx.query("select set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)")
        await tx.query("select pg_advisory_xact_lock(hashtext(current_setting('application_name')))")
        await tx.query('select pg_sleep($1)', [0.02 * keys.length])
        const { rows } = await tx.query<{ key: string; earned: number }>('select * from points where key = any($1)', [keys])
        return new Map(rows.map(({ key, earned }) => [key, earned]))
      },
      async save(tx, states) {
        await tx.query(
          'insert into points select * from unnest($1::text[], $2::int[]) on conflict (key) do update set earned = excluded.earned',
          [[...states.keys()], [...states.values()]],
        )
      },
    }`,
  'sql/001_points.sql': 'create table points (key text primary key, earned integer not null);',
}

interface Line {
  consumer: string
  replicas: number
  replicasAdvised: number
  lagSeconds: number
  action: 'keep' | 'change'
  to: number
  because: string[]
}

describe('replicas follow the load', () => {
  let copy: WorkingCopy
  let stack: TestStack
  const children = new Set<ChildProcess>()
  beforeAll(async () => {
    copy = await copyCheckout()
    await mkdir(join(copy.dir, 'consumers/loyalty/sql'), { recursive: true })
    for (const [file, content] of Object.entries(loyalty))
      await writeFile(join(copy.dir, 'consumers/loyalty', file), content)
    stack = await createTestStack(24_200, { TALLY_PARTITIONS: '6' }, copy.dir)
    await stack.start()
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await stack?.close()
    await copy?.[Symbol.asyncDispose]()
  })

  /** A command that goes on until it gets a signal. */
  const launch = (...args: string[]) => {
    const child = spawn(process.execPath, ['scripts/scale.ts', ...args, '--json'], {
      ...{ cwd: copy.dir, env: stack.sandbox.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.add(child)
    const [stdout, stderr, exited] = [text(child.stdout), text(child.stderr), once(child, 'exit')]
    return {
      child,
      async interrupt() {
        child.kill('SIGINT')
        await exited
        children.delete(child)
        return { exitCode: child.exitCode, stdout: await stdout, stderr: await stderr }
      },
    }
  }
  const replicas = async () => {
    const found = await findStack(stack.config.dataDir)
    return found?.processes.filter(({ consumer }) => consumer === 'loyalty').length
  }

  test('up while orders come faster than they are taken, down after; a signal leaves them as they are', async () => {
    const policy = ['--lag', '1', '--drain', '10', '--every', '1', '--calm', '4', '--cool-down', '2']
    const auto = launch('--auto', 'loyalty', '--max', '3', ...policy)
    const producing = stack.run('produce', 'OrderPlaced', '--count', '1500', '--rate', '90', '--seed', '1')
    await waitUntil('there are more', async () => ((await replicas()) ?? 0) > 1)
    succeeded(await producing)
    await waitUntil('there is one again', async () => (await replicas()) === 1)
    const ended = await auto.interrupt()
    expect(await replicas()).toBe(1)

    const lines = succeeded(ended)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    expect(new Set(lines.map(({ consumer }) => consumer))).toEqual(new Set(['loyalty']))
    const changes = lines.filter(({ action }) => action === 'change')
    expect(changes.length).toBeLessThanOrEqual(6)
    expect(changes[0]).toMatchObject({
      replicas: 1,
      because: expect.arrayContaining([expect.stringMatching(/^events wait .* more than 1\.0 s/)]),
    })
    expect(Math.max(...changes.map(({ to }) => to))).toBeLessThanOrEqual(3)
    expect(changes.at(-1)).toMatchObject({ to: 1 })

    const verdict = JSON.parse(succeeded(await stack.run('verify', '--json', '--settle', '60'))) as { ok: boolean }
    expect(verdict.ok).toBe(true)
  })

  test('advice is served to autoscalers, and none before there is a figure', async () => {
    const { child, interrupt } = launch('--advise', '--serve', '0', '--every', '0.5')
    const [first] = (await once(child.stdout, 'data')) as [Buffer]
    const { url } = JSON.parse(first.toString()) as { url: string }
    expect((await fetch(`${url}/metrics`)).status).toBe(503)
    const metrics = await waitUntil('there is a figure', async () => {
      const answer = await fetch(`${url}/metrics`)
      return answer.ok ? answer : undefined
    })
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const body = await metrics.text()
    expect(body).toMatch(/^# TYPE tally_replicas_advised gauge$/m)
    expect(body).toMatch(/^tally_replicas_advised\{consumer="payment"\} 1$/m)
    expect(body).toMatch(/^tally_lag_seconds\{consumer="loyalty"\} \d/m)
    const json = (await (await fetch(url)).json()) as Record<string, Line>
    expect(json['order-status']).toMatchObject({ replicas: 1, replicasAdvised: 1 })
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
    expect(await stack.run('scale', '--advise', '--serve', new URL(url).port)).toMatchObject({
      ...{ exitCode: 1, stdout: '' },
      stderr: expect.stringMatching(/^Port \d+ cannot be listened on: it is taken/),
    })
    expect((await interrupt()).exitCode).toBe(0)
  })

  test('a load of its own shows it, as a plot', async () => {
    const plot = join(copy.dir, 'auto.svg')
    const demo = ['--demo-load', '20', '--seed', '7', '--for', '6', '--every', '1', '--plot', plot]
    const { stderr, stdout, exitCode } = await stack.run('scale', '--auto', 'loyalty', 'payment', ...demo, '--json')
    expect({ exitCode, told: stderr }).toEqual({
      exitCode: 0,
      told: expect.stringMatching(/^\d+ orders were published/),
    })
    expect(stdout.trim().split('\n').length).toBeGreaterThanOrEqual(2)
    const svg = await readFile(plot, 'utf8')
    expect(svg.match(/<polyline/g)).toHaveLength(11) // The goal; of two consumers two rates, the lag, two numbers
    expect(svg).not.toMatch(/NaN|undefined/)
  })

  test.each([
    ['an unknown consumer', ['--advise', 'pyament'], 1, /^No consumer "pyament": there are inventory, loyalty, /],
    ['a number where it is to be found', ['--auto', 'payment=3'], 1, /^"payment=3" is a number of replicas/],
    [
      'limits that exclude each other',
      ['--auto', '--min', '3', '--max', '2'],
      2,
      /^error: --min 3 is more than --max 2/,
    ],
    ['more than there can be', ['--auto', '--max', '99'], 2, /a consumer can have 1 to 32 replicas/],
    ['both at once', ['--advise', '--auto'], 2, /^error: --advise changes nothing/],
    ['what means nothing there', ['--advise', '--calm', '9'], 2, /^error: --calm goes with --auto only/],
    ['no time', ['--auto', '--every', '0'], 2, /not a number of seconds|not a number above 0/],
    ['a plot that cannot be', ['--auto', '--plot', '/proc/none/a.svg'], 1, /^Nothing can be written to \/proc\/none/],
  ])('refuses %s', async (_what, args, exitCode, sentence) => {
    expect(await stack.run('scale', ...args)).toEqual({ exitCode, stdout: '', stderr: expect.stringMatching(sentence) })
  })
})
