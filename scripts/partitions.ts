import type { Command } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { createPool } from '../infra/postgres/pool.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import { mostPartitions } from '../infra/settings.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import { commandLogger, connectKafka } from '../infra/kafka/command-client.ts'
import { actorOf, confirmed } from './cli/consent.ts'
import { printReport } from './cli/report.ts'
import { cancelChange, listGenerations, requireDeployed } from '../consumers/operations/partitions/cancel-change.ts'
import { changePartitions } from '../consumers/operations/partitions/change-partitions.ts'
import { exclusively } from '../consumers/operations/partitions/operation.ts'
import { changedReport, generationsReport } from './partitions/print-generations.ts'
import { printSteps } from './partitions/print-steps.ts'

interface PartitionsOptions extends CommonOptions {
  yes?: boolean
  cancel?: boolean
  why?: string
  actor?: string
  drain: number
  timeout: number
}

export function partitionsCommand(frame: CommandFrame): Command {
  const command = createCommand(
    'partitions',
    'Show the number of partitions of all topics; change it while orders flow',
    [
      'npm run partitions',
      'npm run partitions -- 24 --why "more than 12 payment replicas"',
      'npm run partitions -- --cancel  # a change that has begun but not switched',
    ],
    'A consumer can have as many working replicas as there are partitions. A change creates new topics beside the old ones: orders are accepted all the time and wait until the old topics are drained. If the command is interrupted, run it again.',
  )
    .argument(
      '[count]',
      `partitions of every topic, 1 to ${mostPartitions} (default: change nothing)`,
      integer(1, mostPartitions),
    )
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--why <text>', 'reason, stored with the change')
    .option('--actor <name>', 'who changes it (default: your user name)')
    .option('--drain <seconds>', 'drain timeout: seconds that orders may wait for the old topics', integer(1), 60)
    .option('--timeout <seconds>', 'seconds for the replicas to take over the new lanes', integer(1), 60)
    .option('--cancel', 'end a change that has begun, and delete its empty topics')
  return command.action(async (count: number | undefined, options: PartitionsOptions) => {
    if (count !== undefined && options.cancel) command.error('--cancel takes no count')
    const config = loadConfig()
    const pool = createPool({
      url: config.postgres.url,
      name: 'tally-partitions',
      idleInTransactionMs: 10_000,
      log: commandLogger('partitions', config),
    })
    try {
      if (options.cancel) await cancel(pool, options)
      else if (count === undefined) await show(pool, options)
      else await change(pool, count, options, frame)
    } finally {
      await pool.end()
    }
  })
}

if (import.meta.main) await runCommand(partitionsCommand)

async function change(
  pool: Pool,
  partitions: number,
  options: PartitionsOptions,
  { signal }: CommandFrame,
): Promise<void> {
  const config = loadConfig()
  const { yes, json, why, drain, timeout } = options
  await requireDeployed(pool, config.namespace)
  const question = `Create all topics with ${partitions} partitions and switch to them? Orders wait for some seconds.`
  if (!yes && !(await confirmed(question))) return say('Nothing was changed.')
  const changed = await exclusively(pool, config.namespace, () =>
    changePartitions({
      ...{ config, pool, partitions, why, signal, actor: actorOf(options) },
      kafka: connectKafka('partitions', config),
      drainWithinMs: drain * 1_000,
      claimWithinMs: timeout * 1_000,
      onStep: printSteps(),
    }),
  )
  const { from, to, moved, heldMs, strays } = changed
  if (json) printJson({ from, to, moved: moved ?? null, heldMs: Math.round(heldMs), strays })
  else printReport(changedReport(changed, config))
  if (strays.length > 0) process.exitCode = 1
}

async function show(pool: Pool, { json }: PartitionsOptions): Promise<void> {
  const rows = await listGenerations(pool, loadConfig().namespace)
  if (json) printJson({ generations: rows })
  else printReport(generationsReport(rows))
}

async function cancel(pool: Pool, { json }: PartitionsOptions): Promise<void> {
  const config = loadConfig()
  const cancelled = await cancelChange(pool, connectKafka('partitions', config), config)
  if (json) printJson({ cancelled })
  else say(`The change is cancelled, and the empty topics with ${cancelled.partitions} partitions are deleted.`)
}
