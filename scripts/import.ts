import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { isTallyError } from '../infra/errors.ts'
import { commandLogger, connectKafka } from '../infra/kafka/command-client.ts'
import { commandToken } from '../infra/security/access-token.ts'
import { createPool } from '../infra/postgres/pool.ts'
import { ApiClient } from '../producers/direct/api-client.ts'
import { connectPublisher } from '../producers/direct/connect-publisher.ts'
import { parseColumns } from '../producers/import/columns.ts'
import type { Columns } from '../producers/import/columns.ts'
import { compareOrders } from '../producers/import/compare-orders.ts'
import { ImportBook } from '../producers/import/import-book.ts'
import { planImport } from '../producers/import/plan-import.ts'
import { readOrders } from '../producers/import/read-orders.ts'
import { readProducts } from '../producers/import/read-products.ts'
import { deliveriesOf, runImport } from '../producers/import/run-import.ts'
import type { ImportWork } from '../producers/import/run-import.ts'
import { createCommand, printJson, printTable, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { createProgress } from './cli/progress.ts'
import { printReport } from './cli/report.ts'
import { importReport, orderIdsOf, totalsOf } from './import/report.ts'
import type { ImportResult } from './import/report.ts'

interface Options extends CommonOptions {
  orders?: string
  products?: string
  columns?: Columns
  offset?: string
  source: string
  stock: 'as-given' | 'enough'
  currency: string
  changed: 'refuse' | 'skip'
  find?: string[]
  skipBad?: boolean
  dryRun?: boolean
}

export const importCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'import',
    'Import products, stock and orders from CSV files; safe to repeat',
    [
      'npm run import -- --orders orders.csv --products products.csv --dry-run',
      'npm run import -- --orders orders.csv --products products.csv --stock enough --currency USD',
      'npm run import -- --orders orders_export.csv --columns shopify --source my-shop --stock enough',
      "npm run import -- --orders sales.csv --columns 'order=No,customer=Client,sku=Article,quantity=Qty,price=Net'",
      'npm run import -- --find 10248  # the order id of an imported order',
    ],
    'Columns of orders, one row per order line: OrderID, CustomerID, ProductID, UnitPrice, Quantity, and optionally Discount, OrderDate, ShipName, ShipAddress, ShipCity, ShipPostalCode, ShipCountry. Columns of products: ProductID, ProductName, UnitPrice, UnitsInStock. Files are UTF-8; separator and line ends are found. Fields of an order may stand in its first row only; equal articles of an order are added up. An order is identified by --source and its number.',
  )
    .option('--orders <file>', 'CSV file of order lines')
    .option('--products <file>', 'CSV file of products (default: the catalogue stays as it is)')
    .option('--columns <map>', 'columns of orders: shopify, woocommerce, field=column|other,…, or a file', columns)
    .option('--offset <offset>', 'offset of times that have none, such as +02:00 or Z', offset)
    .option('--source <name>', 'where the orders come from; with the number it identifies an order', 'orders')
    .addOption(
      new Option(
        '--stock <how>',
        'deliver what is missing to the stock of the products file, or to what the orders need',
      )
        .choices(['as-given', 'enough'])
        .default('as-given'),
    )
    .option('--currency <code>', 'ISO 4217 code of all prices, if the file has none', 'USD')
    .addOption(
      new Option('--changed <how>', 'orders that differ from their first import')
        .choices(['refuse', 'skip'])
        .default('refuse'),
    )
    .option('--find <number...>', 'show imported orders by number or order id; import nothing')
    .option('--skip-bad', 'import the rest if products or orders have bad rows')
    .option('--dry-run', 'read and check the files, import nothing')
    .action(async (options: Options, command: Command) => {
      if (options.find) return find(options.find, options)
      const { orders } = options
      if (orders === undefined) return command.error('error: name the file of order lines with --orders')
      const result = await importFiles(orders, options, signal)
      if (options.json)
        printJson({
          imported: result.imported,
          ...totalsOf(result),
          ids: orderIdsOf(result),
          changes: result.comparison?.changes ?? [],
          problems: result.plan.problems,
        })
      else printReport(importReport(result))
      if (!result.imported && !options.dryRun) process.exitCode = 1
    })

if (import.meta.main) await runCommand(importCommand)

function columns(text: string): Columns {
  try {
    return parseColumns(text)
  } catch (error) {
    if (isTallyError(error, 'USAGE')) throw new InvalidArgumentError(`${error.message}.`)
    throw error
  }
}

function offset(text: string): string {
  if (/^(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.test(text)) return text
  throw new InvalidArgumentError('An offset is like +02:00 or Z.')
}

async function find(names: readonly string[], { json }: Options): Promise<void> {
  const config = loadConfig()
  await using book = await ImportBook.open(config, commandLogger('import', config))
  const found = await book.lookUp(names)
  const missing = names.filter((name) => !found.some((each) => each.orderNumber === name || each.orderId === name))
  if (json)
    printJson({
      orders: found.map(({ source, orderNumber, orderId, importedAt }) => ({
        source,
        orderNumber,
        orderId,
        importedAt,
      })),
      missing,
    })
  else if (found.length > 0)
    printTable(
      ['number', 'source', 'order id', 'imported'],
      found.map(({ orderNumber, source, orderId, importedAt }) => [
        orderNumber,
        source,
        orderId,
        importedAt.toISOString(),
      ]),
    )
  if (missing.length > 0) {
    say(`Never imported: ${missing.join(', ')}.`)
    process.exitCode = 1
  }
}

async function importFiles(orders: string, options: Options, signal: AbortSignal): Promise<ImportResult> {
  const { products, columns: map, offset: zone, source, stock, currency, changed, skipBad = false, dryRun } = options
  const importedAt = Date.now()
  const catalogue = products === undefined ? undefined : readProducts(products)
  const plan = planImport(readOrders(orders, map, { offset: zone }), catalogue, { currency, source, importedAt })
  const shared = { plan, skipBad, skipChanged: changed === 'skip' }
  const config = loadConfig()
  const book = await openBook(config, dryRun)
  if (!book) return { ...shared, deliveries: [], imported: false }
  await using _ = book
  const known = await book.find(
    source,
    plan.orders.map(({ orderNumber }) => orderNumber),
  )
  const comparison = compareOrders(plan.orders, known)
  const work = {
    products: plan.products,
    fresh: comparison.fresh,
    stock: plan.stock,
    enough: stock === 'enough',
    importedAt,
  }
  const deliveries = await deliveriesOf(work, book)
  const bad = plan.problems.length > 0 && !skipBad
  const imported = !dryRun && !bad && (comparison.changes.length === 0 || changed === 'skip')
  if (imported) await importWork(work, book, signal)
  return { ...shared, comparison, deliveries, imported }
}

/** A dry run needs no stack: without a database it only checks the files. */
async function openBook(config: ReturnType<typeof loadConfig>, dryRun = false): Promise<ImportBook | undefined> {
  try {
    return await ImportBook.open(config, commandLogger('import', config))
  } catch (error) {
    if (dryRun && !isTallyError(error)) return undefined
    throw error
  }
}

async function importWork(work: ImportWork, book: ImportBook, signal: AbortSignal): Promise<void> {
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
    await runImport(work, book, {
      api: new ApiClient({ url: `http://127.0.0.1:${ports.api}`, token: commandToken(config), signal }),
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
