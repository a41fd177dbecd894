import type { Command } from 'commander'
import { Option } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { createPool } from '../infra/postgres/pool.ts'
import { ApiClient } from '../producers/direct/api-client.ts'
import { planImport } from '../producers/import/plan-import.ts'
import type { ImportPlan } from '../producers/import/plan-import.ts'
import { readOrders } from '../producers/import/read-orders.ts'
import { readProducts } from '../producers/import/read-products.ts'
import { runImport } from '../producers/import/run-import.ts'
import { createCommand, printJson, runCommand } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { commandLogger, connectKafka } from '../infra/kafka/command-client.ts'
import { connectPublisher } from '../producers/direct/connect-publisher.ts'
import { count, firstOf } from './cli/figures.ts'
import { printReport } from './cli/report.ts'
import type { Report } from './cli/report.ts'
import { createProgress } from './cli/progress.ts'

interface Options extends CommonOptions {
  orders: string
  products: string
  stock: 'as-given' | 'enough'
  currency: string
  skipBad?: boolean
  dryRun?: boolean
}

const problemsShown = 20

export const importCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'import',
    'Import products, stock and orders from CSV files; safe to repeat',
    [
      'npm run import -- --orders orders.csv --products products.csv --dry-run',
      'npm run import -- --orders orders.csv --products products.csv --stock enough --currency USD',
    ],
    'Columns of orders, one row per order line: OrderID, CustomerID, ProductID, UnitPrice, Quantity, and optionally Discount, OrderDate, ShipName, ShipAddress, ShipCity, ShipPostalCode, ShipCountry. Columns of products: ProductID, ProductName, UnitPrice, UnitsInStock.',
  )
    .requiredOption('--orders <file>', 'CSV file of order lines')
    .requiredOption('--products <file>', 'CSV file of products')
    .addOption(
      new Option('--stock <how>', 'stock of the products file, or at least what the orders need')
        .choices(['as-given', 'enough'])
        .default('as-given'),
    )
    .option('--currency <code>', 'ISO 4217 code of all prices', 'USD')
    .option('--skip-bad', 'import the rest if products or orders have bad rows')
    .option('--dry-run', 'read and check the files, import nothing')
    .action(async ({ orders, products, stock, currency, skipBad, dryRun, json }: Options) => {
      const plan = planImport(readOrders(orders), readProducts(products), { currency, stock, importedAt: Date.now() })
      const refused = plan.problems.length > 0 && !skipBad
      if (!dryRun && !refused) await importPlan(plan, signal)
      const imported = !dryRun && !refused
      if (json) printJson({ imported, ...totalsOf(plan, currency), problems: plan.problems })
      else printReport(importReport(plan, currency, { imported, skipBad }))
      if (refused) process.exitCode = 1
    })

if (import.meta.main) await runCommand(importCommand)

async function importPlan(plan: ImportPlan, signal: AbortSignal): Promise<void> {
  const config = loadConfig()
  const { namespace, ports, postgres } = config
  const kafka = connectKafka('import', config)
  const publisher = await connectPublisher({
    name: 'import',
    kafka,
    config,
    types: ['StockReplenished', 'OrderPlaced'],
    signal,
  })
  const inventory = createPool({
    url: postgres.url,
    schema: `${namespace}inventory`,
    name: 'tally-import',
    max: 1,
    log: commandLogger('import', config),
  })
  try {
    await runImport(plan, {
      api: new ApiClient({ url: `http://127.0.0.1:${ports.api}`, signal }),
      publisher,
      kafka,
      inventory,
      namespace,
      signal,
      onPhase: (label, total, unit) => createProgress(label, { total, unit }),
    })
  } finally {
    await Promise.all([publisher.stop(), inventory.end()])
  }
}

function totalsOf({ products, deliveries, orders, problems }: ImportPlan, currency: string) {
  const lines = orders.flatMap(({ data }) => data.lines)
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + BigInt(value), 0n)
  return {
    products: products.length,
    stockUnits: sum(deliveries.map(({ data }) => data.quantity)),
    orders: orders.length,
    lines: lines.length,
    units: sum(lines.map(({ quantity }) => quantity)),
    amountMinor: { [currency]: sum(orders.map(({ data }) => data.totalMinor)) },
    badRows: new Set(problems.map(({ file, line }) => `${file} ${line}`)).size,
  }
}

/** What was imported, or would be, and the first bad rows. */
export function importReport(
  plan: ImportPlan,
  currency: string,
  { imported, skipBad }: { imported: boolean; skipBad?: boolean },
): Report {
  const { products, orders, stockUnits, lines, units, amountMinor, badRows } = totalsOf(plan, currency)
  const figures = `${count(products, 'product')} and ${count(orders, 'order')}`
  const refused = badRows > 0 && !skipBad
  const bad = plan.problems.map(
    ({ file, line, column, message }) => `${file} line ${line}${column ? `, ${column}` : ''}: ${message}`,
  )
  return {
    verdict: imported
      ? `Imported ${figures}.`
      : refused
        ? `Nothing was imported: ${count(badRows, 'bad row')}. Correct them, or add --skip-bad to import the rest.`
        : `Dry run: ${figures} would be imported.`,
    parts: [
      {
        head: ['', 'count'],
        rows: [
          ['products', products],
          ['units of stock', stockUnits],
          ['orders', orders],
          ['order lines', lines],
          ['units ordered', units],
          [`amount in minor units of ${currency}`, amountMinor[currency] ?? 0n],
          ['bad rows', badRows],
        ],
      },
      firstOf(bad, problemsShown).join('\n'),
    ],
    next: imported ? 'npm run verify' : undefined,
  }
}
