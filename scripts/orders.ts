import type { Command } from 'commander'
import { Option } from 'commander'
import { connectCodecIfThere } from '../consumers/operations/connect-codec.ts'
import { openForOperator } from '../consumers/operations/lanes/read-health.ts'
import { findOrders, orderStates } from '../consumers/operations/orders/find-orders.ts'
import { isUnknown, readOrder } from '../consumers/operations/orders/read-order.ts'
import { withParkedGroups } from '../consumers/operations/parked/parked-groups.ts'
import { loadConfig } from '../infra/config.ts'
import { TallyError } from '../infra/errors.ts'
import { integer } from './cli/arguments.ts'
import { addSubcommand, createCommand, printJson, runCommand } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { printReport } from './cli/report.ts'
import { orderJson, orderReport, ordersReport } from './orders/print-order.ts'

export function ordersCommand({ signal }: CommandFrame): Command {
  const program = createCommand('orders', 'Find orders; show every event of one, and why it waits', [
    'npm run orders -- find C-00042',
    'npm run orders -- show 0190f1de-7c1a-7d2e-8f3b-1c2d3e4f5a6b',
  ])
  addSubcommand(program, 'find', 'List orders, those that changed last first', [
    'npm run orders -- find --status ready',
    'npm run orders -- find TL0000001234 --json',
  ])
    .argument('[text]', 'order id or its beginning, customer id, or tracking number (default: all)')
    .addOption(new Option('--status <status>', 'choose orders of this status').choices(orderStates))
    .option('-n, --limit <count>', 'number of orders', integer(1, 1_000), 20)
    .action(async (text: string | undefined, _options: unknown, command: Command) => {
      const { status, limit, json } = command.optsWithGlobals<CommonOptions & { status?: string; limit: number }>()
      const config = loadConfig()
      const pool = openForOperator(config)
      try {
        const page = await findOrders(config, pool, { text, status, limit })
        if (json) printJson(page)
        else printReport(ordersReport(page))
      } finally {
        await pool.end()
      }
    })
  addSubcommand(program, 'show', 'Show all that is known of an order', [
    'npm run orders -- show 0190f1de-7c1a-7d2e-8f3b-1c2d3e4f5a6b',
    'npm run orders -- show o-1 --json | jq .events',
  ])
    .argument('<order>', 'order id')
    .action(async (orderId: string, _options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<CommonOptions>()
      const config = loadConfig()
      const pool = openForOperator(config)
      try {
        const codec = await connectCodecIfThere(config, signal)
        const account = await withParkedGroups(config, undefined, (groups) =>
          readOrder(orderId, { config, pool, groups, codec, signal }),
        )
        if (isUnknown(account))
          throw new TallyError('USAGE', `No order "${orderId}" is known: its id may be mistyped, or its data deleted`)
        if (json) printJson(orderJson(account, Date.now()))
        else printReport(orderReport(account, Date.now()))
      } finally {
        await pool.end()
      }
    })
  return program
}

if (import.meta.main) await runCommand(ordersCommand)
