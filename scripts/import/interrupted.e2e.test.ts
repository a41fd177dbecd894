import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import { waitUntil } from '../../infra/testing/wait-until.ts'
import { createTestStack, succeeded } from '../testing/test-stack.ts'
import type { TestStack } from '../testing/test-stack.ts'
import { writeShopFiles } from './testing/shop-files.ts'
import type { ShopFile } from './testing/shop-files.ts'

/** One file that is killed, repeated, imported by two at once, renamed and corrected: its orders exist once each. */
describe('an import that is disturbed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tally-import-'))
  let stack: TestStack
  let file: ShopFile
  beforeAll(async () => {
    const env = { TALLY_GATEWAY_DECLINE_RATE: '0', TALLY_CARRIER_REFUSE_RATE: '0', TALLY_PARTITIONS: '3' }
    stack = await createTestStack(31_000, env)
    file = writeShopFiles(folder, 900)[0]!
    await stack.start()
  })
  afterAll(async () => {
    await stack?.close()
    rmSync(folder, { recursive: true })
  })

  const args = (path = file.path) => [
    ...['--orders', path, '--columns', 'shopify', '--source', file.source, '--currency', file.currency],
    ...['--stock', 'enough', '--json'],
  ]
  const query = async <Row extends object>(sql: string) => (await stack.sandbox.pool.query<Row>(sql)).rows[0]!
  const table = (group: string, name: string) => `"${schemaName(stack.sandbox.namespace, group)}".${name}`
  const book = (name: string) => `"${stack.sandbox.namespace}imports".${name}`
  /** Whether an import runs; the lock of a killed one is given up when the database notices. */
  const held = async () => {
    const lock = `select exists (select from pg_locks where locktype = 'advisory' and classid = 7311094
      and objid::int4 = hashtext('${stack.sandbox.namespace}imports')) as held`
    return (await query<{ held: boolean }>(lock)).held
  }
  /** Kills an import as soon as the condition holds. */
  async function kill(what: string, condition: () => Promise<boolean>) {
    await waitUntil('no import runs', async () => !(await held()))
    const child = spawn(process.execPath, ['scripts/import.ts', ...args()], { env: stack.sandbox.env, stdio: 'ignore' })
    const ended = once(child, 'exit')
    await waitUntil(what, () => condition().catch(() => false), { everyMs: 2 })
    child.kill('SIGKILL')
    await ended
    await waitUntil('no import runs', async () => !(await held()))
  }
  const isTrue = async (condition: string) => (await query<{ met: boolean }>(`select ${condition} as met`)).met
  const proveSums = async () => {
    succeeded(await stack.run('verify', '--json', '--settle', '60'))
    const money = await query<{ orders: number; minor: number }>(
      `select count(*)::int as orders, sum(amount_minor)::bigint as minor from ${table('payment', 'payment')} where phase = 'captured'`,
    )
    expect(money).toEqual({ orders: file.orders, minor: file.minor })
    expect(
      await query(
        `select sum(shipped)::bigint as shipped, sum(replenished)::bigint as ever from ${table('inventory', 'stock')}`,
      ),
    ).toEqual({ shipped: file.units, ever: file.units })
    expect(await query(`select count(*)::int as orders from ${book('imported_order')}`)).toEqual({
      orders: file.orders,
    })
  }

  test('killed before and after it has sent anything, and completed by two that begin at once, every order exists once', async () => {
    await kill('the orders are recorded', () => isTrue(`(select count(*) > 0 from ${book('imported_order')})`))
    await kill('stock has arrived', () => isTrue(`exists (select from ${table('inventory', 'stock')})`))
    await kill('orders have arrived', () => isTrue(`exists (select from ${table('order-status', 'order_status')})`))
    const both = await Promise.all([1, 2].map(() => stack.run('import', ...args())))
    const [first, second] = both.toSorted((a, b) => Number(a.exitCode) - Number(b.exitCode))
    succeeded(first!)
    if (second!.exitCode !== 0) expect(second!.stderr).toBe('Another import runs: start this one when it has ended\n')
    await proveSums()
  })

  test('the same file under another name is the same orders; a corrected row in it is told and refused', async () => {
    const renamed = join(folder, 'renamed.csv')
    copyFileSync(file.path, renamed)
    const again = JSON.parse(succeeded(await stack.run('import', ...args(renamed)))) as object
    expect(again).toMatchObject({ imported: true, orders: 0, unchanged: file.orders, changed: 0, stockUnits: '0' })
    writeFileSync(renamed, readFileSync(renamed, 'utf8').replace(';Quay 7;', ';Quay 7a;'))
    const corrected = await stack.run('import', ...args(renamed))
    expect(corrected.exitCode).toBe(1)
    expect(JSON.parse(corrected.stdout)).toMatchObject({
      ...{ imported: false, orders: 0, changed: 1 },
      changes: [{ orderNumber: '#7', field: 'shipTo.street', was: 'Quay 7', is: 'Quay 7a' }],
    })
    await proveSums()
  })
})
