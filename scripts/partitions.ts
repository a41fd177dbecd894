import { loadConfig } from '../infra/config.ts'
import { TallyError } from '../infra/errors.ts'
import { createPool } from '../infra/postgres/pool.ts'
import { inTransaction } from '../infra/postgres/transaction.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import { topicName, topics } from '../schemas/topics.ts'
import { createCommand, printJson, printTable, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import { commandLogger, connectKafka } from '../infra/kafka/command-client.ts'
import { actorOf, confirmed } from './cli/consent.ts'
import { duration } from './cli/figures.ts'
import { changePartitions } from '../consumers/operations/partitions/change-partitions.ts'
import { deleteGeneration } from '../consumers/operations/partitions/generation-topics.ts'
import { exclusively, forgetBegun, readRows } from '../consumers/operations/partitions/operation.ts'
import { printSteps } from './partitions/print-steps.ts'
import { hasSqlState } from '../infra/postgres/sqlstates.ts'

interface PartitionsOptions extends CommonOptions {
  yes?: boolean
  cancel?: boolean
  why?: string
  actor?: string
  drain: number
  timeout: number
}

const most = 1_000

await runCommand((frame) => {
  const command = createCommand(
    'partitions',
    'How many partitions the topics have, and so how many replicas of a consumer can share the work; change it while orders flow',
    [
      'npm run partitions',
      "npm run partitions -- 24 --why 'more than 12 payment replicas'",
      'npm run partitions -- 24 --yes --json',
      'npm run partitions -- --cancel         # a change that has begun and was not switched to',
    ],
  )
    .argument('[count]', 'partitions of every topic from now on; without it, shows what there is', integer(1, most))
    .option('-y, --yes', 'do not ask')
    .option('--why <text>', 'kept with the generation')
    .option('--actor <name>', 'who does it (default: the user)')
    .option('--drain <seconds>', 'orders may wait so long for the old topics to be read to the end', integer(1), 60)
    .option('--timeout <seconds>', 'for the replicas to take over the new lanes', integer(1), 60)
    .option('--cancel', 'ends a change that has begun: its topics, which are empty, are deleted')
  return command
    .addHelpText(
      'after',
      '\nTopics are made anew beside the old ones; orders are accepted all the time and wait until the old topics are read to the end.\nKilled on the way, the same command goes on.',
    )
    .action(async (count: number | undefined, options: PartitionsOptions) => {
      if (count !== undefined && options.cancel) command.error('--cancel takes no count')
      const config = loadConfig()
      const pool = createPool({
        url: config.postgres.url,
        name: 'tally-partitions',
        idleInTransactionMs: 10_000,
        log: commandLogger('partitions', config),
      })
      try {
        if (options.cancel) await cancel(pool)
        else if (count === undefined) await show(pool, options)
        else await change(pool, count, options, frame)
      } finally {
        await pool.end()
      }
    })
})

async function change(
  pool: Pool,
  partitions: number,
  options: PartitionsOptions,
  { signal }: CommandFrame,
): Promise<void> {
  const config = loadConfig()
  const { yes, json, why, drain, timeout } = options
  await requireDeployed(pool)
  const question = `All topics are made anew with ${partitions} partitions; orders wait a few seconds. Go on?`
  if (!yes && !(await confirmed(question))) return say('Nothing was done')
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
  else {
    if (moved)
      say(
        `Moved to new lanes: ${moved.orders} events of the orders API, ${moved.parked} parked, ${moved.timers} timers, ${moved.calls} calls. Publishing rested for ${duration(heldMs)}; orders were accepted`,
      )
    say(`${to.partitions} partitions. \`npm run verify\` proves both generations together`)
    say(
      `The old topics keep what they have until retention takes it, and take no more. To delete them sooner: kafka-topics.sh --bootstrap-server ${config.kafka.brokers[0]} --delete --topic '${topics.map((topic) => topicName(config.namespace, topic, from.number)).join('|')}'`,
    )
  }
  if (strays.length === 0) return
  say(
    `Written to the old topics past the switch; nobody reads it there. What a frozen replica of the orders API wrote is in the new topics as well; anything else is lost:\n  ${strays.join('\n  ')}`,
  )
  process.exitCode = 1
}

async function requireDeployed(pool: Pool): Promise<void> {
  if ((await rowsOf(pool)).length === 0)
    throw new TallyError('NOT_DEPLOYED', 'There are no topics yet: `npm start` or `npm run deploy` makes them')
}

/** None before the first deployment. */
async function rowsOf(pool: Pool) {
  try {
    return await readRows(pool, loadConfig().namespace)
  } catch (error) {
    if (hasSqlState(error, 'undefinedTable')) return []
    throw error
  }
}

async function show(pool: Pool, { json }: PartitionsOptions): Promise<void> {
  const rows = await rowsOf(pool)
  if (json) return printJson({ generations: rows })
  const current = rows.findLast(({ switchedAt }) => switchedAt !== null)
  printTable(
    ['generation', 'partitions', 'since', 'by', 'why'],
    rows.map((row) => [
      `${row.number}${row === current ? ' (current)' : ''}`,
      row.partitions,
      row.switchedAt?.toISOString() ?? 'being prepared',
      row.actor,
      row.why ?? '',
    ]),
  )
  const begun = rows.find(({ switchedAt }) => switchedAt === null)
  if (begun)
    say(
      `A change has begun: \`npm run partitions -- ${begun.partitions}\` goes on with it, \`npm run partitions -- --cancel\` ends it`,
    )
  else if (current && current.number > 1 && current.sealedAt === null)
    say(`The last change is not finished: \`npm run partitions -- ${current.partitions}\` finishes it`)
}

async function cancel(pool: Pool): Promise<void> {
  const config = loadConfig()
  await requireDeployed(pool)
  await exclusively(pool, config.namespace, async () => {
    const begun = (await readRows(pool, config.namespace)).find(({ switchedAt }) => switchedAt === null)
    if (!begun) throw new TallyError('PRECONDITION_FAILED', 'No change has begun: there is nothing to cancel')
    await inTransaction(pool, async (tx) => {
      await forgetBegun(tx, config.namespace, begun) // First: until this is committed or not, nobody can switch to them
      await deleteGeneration(connectKafka('partitions', config), config, begun)
    })
    say(`Cancelled. The topics with ${begun.partitions} partitions, which were empty, are deleted`)
  })
}
