import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { parse } from 'csv-parse/sync'
import { schemaName } from '../consumers/runtime/load-consumer.ts'
import { findNorthwind } from '../producers/import/northwind.ts'
import { createTestStack, succeeded } from './testing/test-stack.ts'
import type { TestStack } from './testing/test-stack.ts'
import { note } from '../infra/testing/test-logger.ts'

const folder = findNorthwind()
if (!folder) note('The Northwind data is missing (set TALLY_NORTHWIND_DIR): the import of real orders is not tested\n')

const onNorthwind = folder ? describe : describe.skip

onNorthwind('an import of real orders', () => {
  const [orders, products] = ['orders.csv', 'products.csv'].map((name) => join(folder ?? '', name)) as [string, string]
  let stack: TestStack
  afterEach(() => stack.close())

  /** Imports, waits until all orders have ended, and returns the output of `verify`. */
  async function importInto(portBase: number, stock: string, env: NodeJS.ProcessEnv = {}) {
    stack = await createTestStack(portBase, env)
    await stack.start()
    succeeded(await stack.run('import', '--orders', orders, '--products', products, '--stock', stock))
    return JSON.parse(succeeded(await stack.run('verify', '--json', '--settle', '60'))) as {
      orders: Record<string, number>
    }
  }

  test('completes every order if there is enough stock, and captures exactly the total of the file', async () => {
    const verdict = await importInto(26_400, 'enough', {
      TALLY_GATEWAY_DECLINE_RATE: '0',
      TALLY_CARRIER_REFUSE_RATE: '0',
    })
    const file = addUp(orders)
    expect(file).toEqual({ orders: 830, units: 51_317, minor: 126_579_329 })
    expect(verdict.orders).toEqual({ completed: file.orders })
    expect(await total('payment', `payment where phase = 'captured'`, 'amount_minor')).toBe(file.minor)
    expect(await total('inventory', 'stock', 'shipped')).toBe(file.units)
  })

  test('ends every order with the stock of the file', async () => {
    const { orders: ended } = await importInto(26_600, 'as-given')
    expect(Object.keys(ended)).not.toContain('pending')
    expect(Object.values(ended).reduce((sum, n) => sum + n, 0)).toBe(830)
    expect(await total('inventory', 'stock', 'on_hand + reserved + shipped')).toBe(3_119)
    expect(await total('inventory', 'stock', 'reserved')).toBe(0)
  })

  async function total(group: string, rows: string, column: string): Promise<number> {
    const schema = `"${schemaName(stack.sandbox.namespace, group)}"`
    const answer = await stack.sandbox.pool.query<{ total: number }>(
      `select sum(${column})::bigint as total from ${schema}.${rows}`,
    )
    return answer.rows[0]?.total ?? 0
  }
})

/** Totals of the file, computed without code of the import, in integers of a ten-thousandth. */
function addUp(path: string): { orders: number; units: number; minor: number } {
  const rows: Record<string, string>[] = parse(readFileSync(path), { columns: true, bom: true })
  const numbers = new Set<string>()
  let [units, minor] = [0n, 0n]
  for (const row of rows) {
    const quantity = BigInt(row['Quantity'] ?? '')
    numbers.add(row['OrderID'] ?? '')
    units += quantity
    const amount = tenThousandths(row['UnitPrice']) * quantity * (10_000n - tenThousandths(row['Discount'])) // in 10^-8
    minor += (amount + 500_000n) / 1_000_000n // Half up to 10^-2
  }
  return { orders: numbers.size, units: Number(units), minor: Number(minor) }
}

function tenThousandths(decimal = ''): bigint {
  const [whole = '', fraction = ''] = decimal.split('.')
  if (fraction.length > 4) throw new Error(`${decimal} has more than four decimals`)
  return BigInt(whole + fraction.padEnd(4, '0'))
}
