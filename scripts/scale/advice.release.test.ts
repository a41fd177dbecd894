import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { copyCheckout } from '../mutate/working-copy.ts'
import type { WorkingCopy } from '../mutate/working-copy.ts'
import { addLoyalty } from './testing/loyalty.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'

/** A replica processes 50 orders per second and waits most of the time: more replicas help. */
const slowly = `
  await tx.query("select set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)")
  await tx.query("select pg_advisory_xact_lock(hashtext(current_setting('application_name')))")
  await tx.query('select pg_sleep($1)', [0.02 * keys.length])`

interface AdviceJson {
  consumer: string
  replicas: number
  replicasAdvised: number
  lagSeconds: number
  because: string[]
}

const policy = ['--lag', '1', '--drain', '10', '--every', '1', '--max', '3', '--other-machines']

describe('advice', () => {
  let copy: WorkingCopy
  let stack: TestStack
  const children = new Set<ChildProcess>()
  beforeAll(async () => {
    copy = await copyCheckout()
    await addLoyalty(copy.dir, slowly)
    stack = await createTestStack(24_200, { TALLY_PARTITIONS: '6' }, copy.dir)
    await stack.start()
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await stack?.close()
    await copy?.[Symbol.asyncDispose]()
  })

  /** A command that runs until it gets a signal. */
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
  test('an autoscaler that follows the served figure goes up while orders wait, and down after', async () => {
    const { child, interrupt } = launch('--advise', 'loyalty', '--serve', '0', ...policy)
    const [first] = (await once(child.stdout, 'data')) as [Buffer]
    const { url } = JSON.parse(first.toString()) as { url: string }
    const follow = async (what: string, until: (advice: AdviceJson) => boolean) =>
      waitUntil(
        what,
        async () => {
          const answer = await fetch(url)
          if (!answer.ok) return undefined
          const { loyalty: advice } = (await answer.json()) as Record<string, AdviceJson>
          if (advice && advice.replicasAdvised !== advice.replicas)
            succeeded(await stack.run('scale', `loyalty=${advice.replicasAdvised}`))
          if (advice && until(advice)) return advice
          throw new Error(JSON.stringify(advice))
        },
        { withinMs: 120_000, everyMs: 500 },
      )
    const producing = stack.run('produce', 'OrderPlaced', '--count', '1500', '--rate', '90', '--seed', '1')
    const up = await follow('more are needed', ({ replicasAdvised }) => replicasAdvised > 1)
    expect(up.replicasAdvised).toBeLessThanOrEqual(3)
    expect(up.because).toContainEqual(expect.stringMatching(/^events wait .* more than 1\.0 s/))
    succeeded(await producing)
    await follow('one is enough', ({ replicas, replicasAdvised }) => replicas === 1 && replicasAdvised === 1)
    expect((await interrupt()).exitCode).toBe(0)
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
    const json = (await (await fetch(url)).json()) as Record<string, AdviceJson>
    expect(json['order-status']).toMatchObject({ replicas: 1, replicasAdvised: 1 })
    expect((await fetch(`${url}/nothing`)).status).toBe(404)
    expect(await stack.run('scale', '--advise', '--serve', new URL(url).port)).toMatchObject({
      ...{ exitCode: 1, stdout: '' },
      stderr: expect.stringMatching(/^Cannot listen on port \d+: it is in use/m),
    })
    expect((await interrupt()).exitCode).toBe(0)
  })

  test.each([
    ['an unknown consumer', ['--advise', 'pyament'], 2, /^No consumer "pyament": there are inventory, loyalty, /],
    ['a number of replicas', ['--advise', 'payment=3'], 2, /^"payment=3" is a number of replicas/],
    [
      'limits that exclude each other',
      ['--advise', '--min', '3', '--max', '2'],
      2,
      /^error: --min 3 is more than --max 2/,
    ],
    ['more than there can be', ['--advise', '--max', '99'], 2, /A consumer can have 1 to 32 replicas/],
    ['an option without the one it belongs to', ['--serve'], 2, /^error: --serve requires --advise/],
    [
      'a time between measurements without --serve',
      ['--advise', '--every', '9'],
      2,
      /^error: --every requires --serve/,
    ],
    ['a machine without advice', ['--other-machines'], 2, /^error: --other-machines requires --advise/],
    ['no time', ['--advise', '--serve', '--every', '0'], 2, /not a number of seconds|not a number above 0/],
    ['two commands at once', ['--advise', '--restart'], 2, /^--advise changes nothing: run --restart/],
  ])('refuses %s', async (_what, args, exitCode, sentence) => {
    expect(await stack.run('scale', ...args)).toEqual({ exitCode, stdout: '', stderr: expect.stringMatching(sentence) })
  })
})
