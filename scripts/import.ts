import { Option } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { createPool } from '../infra/postgres/pool.ts'
import { ApiClient } from '../producers/direct/api-client.ts'
import type { RowProblem } from '../producers/import/csv-table.ts'
import { planImport } from '../producers/import/plan-import.ts'
import type { ImportPlan } from '../producers/import/plan-import.ts'
import { readOrders } from '../producers/import/read-orders.ts'
import { readProducts } from '../producers/import/read-products.ts'
import { runImport } from '../producers/import/run-import.ts'
import { createCommand, printJson, printTable, runCommand, say } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import { commandLogger, connectKafka } from '../infra/kafka/command-client.ts'
import { connectPublisher } from '../producers/direct/connect-publisher.ts'
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

await runCommand(({ signal }) =>
  createCommand(
    'import',
    'Turn a CSV file of order lines into products, stock and orders; importing it again changes nothing',
    [
      'npm run import -- --orders orders.csv --products products.csv --dry-run',
      'npm run import -- --orders orders.csv --products products.csv --stock enough --currency USD',
    ],
  )
    .requiredOption(
      '--orders <file>',
      'one row per order line: OrderID, CustomerID, ProductID, UnitPrice, Quantity, and optionally Discount, OrderDate, ShipName, ShipAddress, ShipCity, ShipPostalCode, ShipCountry',
    )
    .requiredOption('--products <file>', 'one row per product: ProductID, ProductName, UnitPrice, UnitsInStock')
    .addOption(
      new Option('--stock <how>', 'as-given: what the products file says; enough: at least what the orders need')
        .choices(['as-given', 'enough'])
        .default('as-given'),
    )
    .option('--currency <code>', 'ISO 4217 code of all prices', 'USD')
    .option('--skip-bad', 'leave out products and whole orders with a bad row, instead of importing nothing')
    .option('--dry-run', 'read and check only')
    .action(async ({ orders, products, stock, currency, skipBad, dryRun, json }: Options) => {
      const plan = planImport(readOrders(orders), readProducts(products), { currency, stock, importedAt: Date.now() })
      sayProblems(plan.problems)
      const refused = plan.problems.length > 0 && !skipBad
      if (!dryRun && !refused) await importPlan(plan, signal)
      const imported = !dryRun && !refused
      if (json) printJson({ imported, ...totalsOf(plan, currency), problems: plan.problems })
      else printSummary(plan, currency)
      if (refused) {
        say('Nothing was imported. Put the rows right, or leave them out with --skip-bad.')
        process.exitCode = 1
      } else if (dryRun) say('Nothing was imported: this was a dry run.')
    }),
)

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

function sayProblems(problems: readonly RowProblem[]): void {
  for (const { file, line, column, message } of problems.slice(0, problemsShown)) {
    say(`${file} line ${line}${column ? `, ${column}` : ''}: ${message}`)
  }
  if (problems.length > problemsShown) say(`… and ${problems.length - problemsShown} more (all of them with --json)`)
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

function printSummary(plan: ImportPlan, currency: string): void {
  const { amountMinor, ...counts } = totalsOf(plan, currency)
  printTable(
    ['', 'count'],
    [
      ['Products', counts.products],
      ['Units of stock', counts.stockUnits],
      ['Orders', counts.orders],
      ['Order lines', counts.lines],
      ['Units ordered', counts.units],
      [`Minor units of ${currency}`, amountMinor[currency] ?? 0n],
      ['Bad rows', counts.badRows],
    ],
  )
}
