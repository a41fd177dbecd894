import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { withAdmin } from '../../infra/kafka/admin.ts'
import { findStack } from '../../infra/stack/supervisor/running-stack.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { copyCheckout } from '../mutate/working-copy.ts'
import type { WorkingCopy } from '../mutate/working-copy.ts'
import type { Passage } from '../../consumers/operations/replicas/lane-trace.ts'
import { addLoyalty } from './testing/loyalty.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'

interface ChangeJson {
  replicas: { before: number; after: number }
  lanes: Passage[]
  longestStandstillMs: number
  ok: boolean
}

const partitions = 6
const orders = 2_000
describe('scale', () => {
  let copy: WorkingCopy
  let stack: TestStack
  beforeAll(async () => {
    copy = await copyCheckout()
    stack = await createTestStack(26_800, { TALLY_PARTITIONS: String(partitions) }, copy.dir)
    await stack.start()
    succeeded(await stack.run('produce', 'StockReplenished', '--count', '200'))
  })
  afterAll(async () => {
    await stack?.close()
    await copy?.[Symbol.asyncDispose]()
  })

  const scale = async (...args: string[]): Promise<ChangeJson> => {
    const output = await stack.run('scale', ...args, '--json')
    return (JSON.parse(succeeded(output)) as { consumers: [ChangeJson] }).consumers[0]
  }
  const owners = ({ lanes }: ChangeJson) => {
    const shares = Map.groupBy(lanes, ({ to }) => to)
    return Object.fromEntries([...shares].map(([name, own]) => [name, own.length]))
  }
  const pids = async () => {
    const found = await findStack(stack.config.dataDir)
    return Object.fromEntries(found?.processes.map(({ name, identity }) => [name, identity?.pid]) ?? [])
  }
  const loyaltySchema = () => schemaName(stack.sandbox.namespace, 'loyalty')

  test('while orders flow replicas come and go and a consumer joins; nothing is lost or doubled', async () => {
    const producing = stack.run('produce', 'OrderPlaced', '--count', String(orders), '--rate', '100', '--seed', '1')
    const grown = await scale('payment=3')
    expect(grown).toMatchObject({ replicas: { before: 1, after: 3 }, ok: true })
    expect(owners(grown)).toEqual({ payment: 2, 'payment-2': 2, 'payment-3': 2 })
    expect(grown.lanes.filter(({ from }) => from === 'payment')).toHaveLength(partitions)
    expect(grown.longestStandstillMs).toBeGreaterThan(0)

    const others = await pids()
    await addLoyalty(copy.dir)
    const joined = await scale('loyalty=1')
    expect(owners(joined)).toEqual({ loyalty: partitions })
    expect(await pids()).toEqual({ ...others, loyalty: expect.any(Number) })

    const shrunk = await scale('payment=1')
    expect(shrunk).toMatchObject({ replicas: { before: 3, after: 1 }, ok: true })
    expect(owners(shrunk)).toEqual({ payment: partitions })
    expect(await pids()).toEqual({
      ...others,
      loyalty: expect.any(Number),
      'payment-2': undefined,
      'payment-3': undefined,
    })

    succeeded(await producing)
    const verdict = JSON.parse(succeeded(await stack.run('verify', '--json', '--settle', '60'))) as { ok: boolean }
    expect(verdict.ok).toBe(true)
    const { rows } = await stack.sandbox.pool.query(
      `select sum(earned)::int as earned from "${loyaltySchema()}".points`,
    )
    expect(rows).toEqual([{ earned: orders }])
  })

  test('shows who has which lanes and who has none', async () => {
    await scale('notifications=8')
    const { stdout } = await stack.run('scale')
    expect(stdout).toMatch(/^replica .*lanes .*behind .*lag .*CPU .*memory$/m)
    expect(stdout).toMatch(/^payment +0-5 +\d/m)
    expect(stdout).toMatch(/^notifications-\d, notifications-\d have no lane: notifications has 6 lanes/m)
    await scale('notifications=1')
  })

  test('removes a consumer with its group and its tables, once told to', async () => {
    const others = await pids()
    const asked = await stack.run('scale', '--remove', 'loyalty')
    expect(asked).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/there is no terminal to ask.*add --yes/),
    })
    expect(asked.stdout).toMatch(/rows\s[\s\S]*2,000 in\s+points/)
    expect(await pids()).toEqual(others)

    succeeded(await stack.run('scale', '--remove', 'loyalty', '--yes'))
    const { rows } = await stack.sandbox.pool.query('select from pg_namespace where nspname = $1', [loyaltySchema()])
    expect(rows).toHaveLength(0)
    const { groups } = await withAdmin(stack.sandbox.kafka, (admin) => admin.listGroups())
    expect(groups.map(({ groupId }) => groupId)).not.toContain(`${stack.sandbox.namespace}loyalty`)
    const { loyalty: _removed, ...left } = others
    expect(await pids()).toEqual(left)
    // Its folder is still there: commands that look at all consumers continue without it and say so
    const health = JSON.parse(succeeded(await stack.run('lanes', 'ls', '--json'))) as { undeployed: string[] }
    expect(health.undeployed).toEqual(['loyalty'])
    const verdict = JSON.parse(succeeded(await stack.run('verify', '--json'))) as { undeployed: string[] }
    expect(verdict).toMatchObject({ ok: true, undeployed: ['loyalty'] })
    await rm(join(copy.dir, 'consumers/loyalty'), { recursive: true })
  })

  test.each([
    ['an unknown consumer', ['pyament=2'], 2, /^No consumer "pyament": there are inventory, /],
    ['zero', ['payment=0'], 2, /^payment must keep one replica/],
    [
      'removing one that others need',
      ['--remove', 'payment', '--yes'],
      1,
      /^payment must stay: .*shipping.* read what it writes/,
    ],
    ['removing one that is none', ['--remove', 'orders', '--yes'], 2, /^No consumer "orders"/],
  ])('refuses %s and changes nothing', async (_what, args, exitCode, sentence) => {
    const before = await pids()
    expect(await stack.run('scale', ...args)).toEqual({
      ...{ exitCode, stdout: '' },
      stderr: expect.stringMatching(sentence),
    })
    expect(await pids()).toEqual(before)
  })

  test('carries out one command at a time; if a replica does not get ready, all is as before', async () => {
    const before = await pids()
    const folder = join(copy.dir, 'consumers/slow')
    await mkdir(folder)
    // In its own process only: the commands look at it, too
    const wait = `if (process.argv[2] === 'slow') await new Promise(() => process.on('SIGTERM', () => process.exit()))`
    await writeFile(join(folder, 'consumer.ts'), `${wait}\nexport default () => ({ group: 'slow', handlers: {} })`)
    const first = stack.run('scale', 'slow=1', 'payment=2', '--timeout', '8')
    await waitUntil('it starts', async () => (await pids())['slow'] !== undefined)
    expect(await stack.run('scale', 'payment=3')).toMatchObject({
      ...{ exitCode: 1, stdout: '' },
      stderr: expect.stringMatching(/^Another scale command/m),
    })
    expect(await first).toMatchObject({
      ...{ exitCode: 1, stdout: '' },
      stderr: expect.stringMatching(/^slow was not ready within 8 s.*\nNothing was changed.*: slow=0 payment=1$/m),
    })
    await rm(folder, { recursive: true })
    expect(await pids()).toEqual(before)
  })

  test('without a stack it says so', async () => {
    await stack.close()
    expect(await stack.run('scale', 'payment=2')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^Nothing runs on .*`npm start` starts it/m),
    })
  })
})
