import type { Command } from 'commander'
import { connectCodec } from '../consumers/operations/connect-codec.ts'
import { forgetCustomer, planForgetting } from '../consumers/operations/forget/forget-customer.ts'
import type { ForgetFigures, ForgetWork, Forgotten } from '../consumers/operations/forget/forget-customer.ts'
import { readForgettings } from '../consumers/operations/forget/forgetting-table.ts'
import { ordersWriter } from '../consumers/operations/groups.ts'
import { withParkedGroups } from '../consumers/operations/parked/parked-groups.ts'
import { loadConfig } from '../infra/config.ts'
import { commandLogger } from '../infra/kafka/command-client.ts'
import { createPool } from '../infra/postgres/pool.ts'
import { printable } from '../infra/text/printable.ts'
import { keysKeptMs } from '../infra/security/customer-keys/customer-keys.ts'
import { createCommand, printJson, printTable, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { actorOf, typed } from './cli/consent.ts'
import { count } from './cli/figures.ts'
import { during } from './cli/progress.ts'

interface Options extends CommonOptions {
  customer?: string
  why?: string
  actor?: string
  list?: boolean
  dryRun?: boolean
  yes?: boolean
}

/** No index leads to the orders of a customer: a statement may read whole tables. */
const statementWithinMs = 10 * 60_000

/** `npm run forget`: makes a customer's personal data unreadable wherever it lies. */
export const forgetCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'forget',
    'Make the personal data of a customer unreadable, for good',
    [
      'npm run forget -- --customer c-1 --dry-run  # count what it would touch',
      'npm run forget -- --customer c-1 --why "asked for it, ticket 4711"',
      'npm run forget -- --list',
    ],
    'Names, addresses and reasons in the customer’s words become unreadable in topics, tables, parked copies and audits. Orders, amounts and the customer’s id stay, so that the books still balance. Orders that have not ended must end first. A run that was interrupted is resumed by the same command.',
  )
    .option('--customer <id>', 'customer to forget')
    .option('--why <text>', 'reason, kept for good: name nobody in it')
    .option('--actor <name>', 'who forgets them (default: your user name)')
    .option('--list', 'show who was forgotten, when, by whom and why')
    .option('--dry-run', 'count what it would touch, and change nothing')
    .option('-y, --yes', 'do not ask for confirmation')
    .action((options: Options, command: Command) => {
      const { customer, why, list, dryRun } = options
      if (list) return showForgettings(options)
      if (customer === undefined) command.error('error: name the customer with --customer, or add --list')
      if (why === undefined && !dryRun) command.error('error: say why with --why, or add --dry-run')
      return forget(customer, why ?? '', options, signal)
    })

if (import.meta.main) await runCommand(forgetCommand)

async function forget(customerId: string, why: string, options: Options, signal: AbortSignal): Promise<void> {
  await connected(async (work) => {
    const figures = await during('Looking', planForgetting(work, customerId))
    if (options.dryRun) return options.json ? printJson({ dryRun: true, ...figures }) : sayPlan(figures)
    if (!options.yes) {
      sayPlan(figures)
      if (!(await typed(customerId, 'forget them for good'))) return say('Nothing was done')
    }
    const by = { customerId, actor: actorOf(options), why }
    const result = await during('Forgetting', forgetCustomer(work, by))
    if (options.json) printJson({ ...result.figures, ...result, figures: undefined })
    else sayResult(result)
    if (!result.complete) process.exitCode = 1
  }, signal)
}

async function connected(work: (work: ForgetWork) => Promise<void>, signal: AbortSignal): Promise<void> {
  const config = loadConfig()
  const log = commandLogger('forget', config)
  const pool = createPool({ url: config.postgres.url, name: 'tally-forget', max: 2, statementWithinMs, log })
  try {
    const codec = await connectCodec(config, signal)
    await withParkedGroups(config, undefined, (groups) => work({ config, pool, groups, codec, signal }))
  } finally {
    await pool.end()
  }
}

function sayPlan({ customerId, orders, keys, open, clear, unreadable, clearInKafkaUntil }: ForgetFigures): void {
  say(`Customer ${printable(customerId)}: ${count(orders, 'order')}, ${count(keys, 'key')} to erase.`)
  if (open.length > 0) say(`${count(open.length, 'order')} must end first, such as ${open[0]}.`)
  const stored = clear.orders + clear.parked + clear.audited
  if (stored > 0)
    say(
      `From before there were keys: ${count(clear.orders, 'address')}, ${count(clear.parked, 'parked event')} and ${count(clear.audited, 'audited value')} to empty.`,
    )
  if (unreadable > 0) say(`${count(unreadable, 'parked event')} cannot be read: mend or drop them (npm run parked).`)
  if (clearInKafkaUntil)
    say(`Events from before there were keys stay in Kafka in clear until ${clearInKafkaUntil.toISOString()}.`)
}

function sayResult({ figures, id, resumed, complete }: Forgotten): void {
  const name = printable(figures.customerId)
  if (id === undefined) return say(`Customer ${name}: nothing of theirs can be read. Nothing was done.`)
  const how = resumed ? ', which an earlier run had begun' : ''
  say(`Customer ${name} is forgotten (audit ${id}${how}): ${count(figures.orders, 'order')} can no longer name them.`)
  say(`Services forget the key within ${keysKeptMs / 1_000} s.`)
  if (!complete)
    say(
      `Not complete: ${count(figures.unreadable, 'parked event')} cannot be read. Mend or drop them (npm run parked), then repeat this.`,
    )
  const { clearInKafkaUntil: until } = figures
  if (until) say(`Events from before there were keys stay in Kafka in clear until ${until.toISOString()}.`)
}

async function showForgettings({ json, customer }: Options): Promise<void> {
  const config = loadConfig()
  const pool = createPool({
    ...{ url: config.postgres.url, name: 'tally-forget', max: 1 },
    log: commandLogger('forget', config),
  })
  try {
    const found = await readForgettings(pool, ordersWriter(config).schema, customer)
    if (json) return printJson({ forgettings: found })
    printTable(
      ['audit', 'customer', 'begun', 'ended', 'by', 'why'],
      found.map(({ id, customerId, beganAt, endedAt, actor, why }) => [
        ...[String(id), printable(customerId), beganAt.toISOString(), endedAt?.toISOString() ?? 'not yet'],
        ...[printable(actor), printable(why)],
      ]),
    )
  } finally {
    await pool.end()
  }
}
