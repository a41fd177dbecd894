import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { schemaName } from '../../../consumers/runtime/load-consumer.ts'
import { createTestStack, succeeded } from '../../testing/test-stack.ts'
import { writeShopFiles } from './shop-files.ts'

interface Imported {
  imported: boolean
  orders: number
  unchanged: number
  changed: number
  stockUnits: string
  ids: { orderNumber: string; orderId: string; state: string }[]
  changes: { orderNumber: string; field: string; was: string; is: string }[]
}

/** Imports `total` orders of three shops, imports them again, corrects one, and compares all sums with those of the files. */
export async function importShops(portBase: number, total: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tally-shops-'))
  const stack = await createTestStack(portBase, { TALLY_GATEWAY_DECLINE_RATE: '0', TALLY_CARRIER_REFUSE_RATE: '0' })
  const schema = (group: string) => `"${schemaName(stack.sandbox.namespace, group)}"`
  const numberOf = async (sql: string) => Number((await stack.sandbox.pool.query<{ n: number }>(sql)).rows[0]?.n)
  try {
    const files = writeShopFiles(folder, total)
    await stack.start()
    const run = ({ path, source, currency }: (typeof files)[number], ...more: string[]) =>
      stack.run(
        'import',
        '--orders',
        path,
        '--columns',
        'shopify',
        '--source',
        source,
        '--currency',
        currency,
        '--json',
        ...more,
      )
    for (const file of files) {
      const first = JSON.parse(succeeded(await run(file, '--stock', 'enough'))) as Imported
      expect(first).toMatchObject({
        imported: true,
        orders: file.orders,
        unchanged: 0,
        units: String(file.units),
        amountMinor: { [file.currency]: String(file.minor) },
      })
    }
    const sums = async () => {
      const money = await stack.sandbox.pool.query<{ currency: string; n: number; minor: number }>(
        `select currency, count(*)::int as n, sum(amount_minor)::bigint as minor
         from ${schema('payment')}.payment where phase = 'captured' group by 1 order by 1`,
      )
      const units = await numberOf(`select sum(shipped)::bigint as n from ${schema('inventory')}.stock`)
      const ever = await numberOf(`select sum(replenished)::bigint as n from ${schema('inventory')}.stock`)
      return { money: money.rows, units, ever }
    }
    const expected = {
      money: files
        .map(({ currency, orders, minor }) => ({ currency, n: orders, minor }))
        .toSorted((a, b) => a.currency.localeCompare(b.currency)),
      units: files.reduce((sum, { units }) => sum + units, 0),
      ever: files.reduce((sum, { units }) => sum + units, 0),
    }
    succeeded(await stack.run('verify', '--json', '--settle', '120'))
    expect(await sums()).toEqual(expected)

    const [file] = files as [(typeof files)[number]]
    for (const stock of ['enough', 'as-given']) {
      const second = JSON.parse(succeeded(await run(file, '--stock', stock))) as Imported
      expect(second).toMatchObject({ imported: true, orders: 0, unchanged: file.orders, changed: 0, stockUnits: '0' })
    }

    writeFileSync(file.path, readFileSync(file.path, 'utf8').replace(';Quay 7;', ';Quay 7a;'))
    const refused = await run(file)
    expect(refused.exitCode).toBe(1)
    const said = JSON.parse(refused.stdout) as Imported
    expect(said).toMatchObject({ imported: false, changed: 1 })
    expect(said.changes).toMatchObject([{ orderNumber: '#7', field: 'shipTo.street', was: 'Quay 7', is: 'Quay 7a' }])
    expect(JSON.parse(succeeded(await run(file, '--changed', 'skip')))).toMatchObject({
      imported: true,
      changed: 1,
      orders: 0,
    })

    const found = JSON.parse(succeeded(await stack.run('import', '--find', '#7', '--json'))) as {
      orders: { source: string; orderId: string }[]
    }
    expect(found.orders).toHaveLength(files.length)
    expect(found.orders.find(({ source }) => source === file.source)?.orderId).toBe(
      said.changes.length > 0 && said.ids.find(({ orderNumber }) => orderNumber === '#7')?.orderId,
    )

    succeeded(await stack.run('verify', '--json', '--settle', '60'))
    expect(await sums()).toEqual(expected)
  } finally {
    await stack.close()
    rmSync(folder, { recursive: true })
  }
}
