import type { Command } from 'commander'
import { connectCodecIfThere } from '../consumers/operations/connect-codec.ts'
import { openForOperator } from '../consumers/operations/lanes/read-health.ts'
import { withParkedGroups } from '../consumers/operations/parked/parked-groups.ts'
import { traceOrder } from '../consumers/operations/trace/trace-order.ts'
import { loadConfig } from '../infra/config.ts'
import { printable } from '../infra/text/printable.ts'
import { createCommand, printJson, runCommand } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { traceLines } from './trace/print-trace.ts'

/** `npm run trace -- <order id>`: what became of one order, as a tree of causes. */
export const traceCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'trace',
    'Show what became of an order: every event under its cause, who took it, and what waits',
    [
      'npm run trace -- 019b2d6c-8f1e-7a63-9d53-0f3c2b6f1a77',
      'npm run trace -- 019b2d6c-8f1e-7a63-9d53-0f3c2b6f1a77 --json',
    ],
    'It reads the database and the topics, and needs no tracing. `npm run orders -- show` lists the same events, and says why an order waits.',
  )
    .argument('<order>', 'id of the order')
    .action(async (orderId: string, { json }: CommonOptions) => {
      const config = loadConfig()
      const pool = openForOperator(config)
      try {
        const codec = await connectCodecIfThere(config, signal)
        const trace = await withParkedGroups(config, undefined, (groups) =>
          traceOrder(orderId, { config, pool, groups, codec, signal }),
        )
        if (json) printJson(trace)
        else process.stdout.write(`${traceLines(trace).map(printable).join('\n')}\n`)
      } finally {
        await pool.end()
      }
    })

if (import.meta.main) await runCommand(traceCommand)
