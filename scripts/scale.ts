import type { Command } from 'commander'
import { consumerFolders } from '../consumers/runtime/load-consumer.ts'
import { loadConfig } from '../infra/config.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import { connectKafka } from '../infra/kafka/command-client.ts'
import { openForOperator } from '../consumers/operations/lanes/read-health.ts'
import { giveAdvice } from './scale/advice-command.ts'
import { addAdviceOptions, checkAdviceOptions } from './scale/advice-options.ts'
import type { AdviceOptions } from './scale/advice-options.ts'
import { changeReplicas } from '../consumers/operations/replicas/change-replicas.ts'
import { changeJson, changeReport } from './scale/print-change.ts'
import { readLoad } from '../consumers/operations/replicas/consumer-load.ts'
import type { Orphans } from '../consumers/operations/replicas/orphans.ts'
import { orphansReport } from './scale/print-orphans.ts'
import { typed } from './cli/consent.ts'
import { during } from './cli/progress.ts'
import { printReport } from './cli/report.ts'
import { openForRemoval, removeConsumer } from '../consumers/operations/replicas/remove-consumer.ts'
import { loadJson, loadReport } from './scale/print-load.ts'
import { parseReplicaCounts } from './scale/replica-counts.ts'
import { parseRestart, restartApi, restartReplicas } from '../consumers/operations/replicas/restart-replicas.ts'
import { requireStack } from '../consumers/operations/replicas/running-stack.ts'
import { refuseForeignStack } from './stack/foreign-stack.ts'
import { configOf } from './stack/probe-stack.ts'

interface ScaleOptions extends CommonOptions, AdviceOptions {
  remove?: string
  /** True for all consumers. */
  restart?: true | string[]
  yes?: boolean
  giveUp?: boolean
  timeout: number
}

export function scaleCommand(frame: CommandFrame): Command {
  const command = createCommand(
    'scale',
    'Show the replicas of consumers and their load; change their number while events flow',
    [
      'npm run scale',
      'npm run scale -- payment=4 inventory=2',
      'npm run scale -- --restart payment  # run the code as it is now',
      'npm run scale -- --remove loyalty',
      'npm run scale -- --advise',
      'npm run scale -- --advise --serve  # metrics for KEDA or Prometheus',
    ],
    'The numbers hold until the stack is stopped: `npm start` begins with one replica of each consumer. A lane is paused from its last commit before the change to its first commit afterwards.',
  )
    .argument('[consumer=replicas...]', 'number of replicas to change to (default: change nothing, show the load)')
    .option('--restart [services...]', 'replace each replica in turn (default: all consumers and orders-api)')
    .option('--remove <consumer>', 'stop a consumer and delete its group and tables, after confirmation')
    .option('-y, --yes', 'with --remove: do not ask for confirmation')
    .option('--give-up', 'with --remove: lose its unpublished events and unanswered calls')
    .option('--timeout <seconds>', 'seconds for a replica to start and for its lanes to settle', integer(1), 60)
  return addAdviceOptions(command).action((texts: string[], options: ScaleOptions) => {
    checkAdviceOptions(command, options)
    if (options.advise) {
      if (options.remove !== undefined || options.restart !== undefined)
        command.error('--advise changes nothing: run --restart or --remove as a separate command')
      return giveAdvice(texts, options, frame)
    }
    if (options.restart !== undefined && (texts.length > 0 || options.remove !== undefined))
      command.error('--restart neither scales nor removes: run these as separate commands')
    if (options.remove !== undefined && texts.length > 0)
      command.error('--remove takes one consumer and changes no others')
    return options.remove === undefined ? scale(texts, options, frame) : remove(options.remove, options, frame)
  })
}

if (import.meta.main) await runCommand(scaleCommand)

async function remove(
  consumer: string,
  { yes, giveUp = false, timeout, json }: ScaleOptions,
  { signal }: CommandFrame,
): Promise<void> {
  const { dataDir } = loadConfig()
  refuseForeignStack(dataDir)
  const config = configOf(await requireStack(dataDir))
  const pool = openForRemoval(config)
  const agreed = async (orphans: Orphans) => {
    if (!json) printReport(orphansReport(consumer, orphans))
    return yes || typed(consumer, 'delete all this')
  }
  try {
    const kafka = connectKafka('scale', config)
    const removed = await removeConsumer({
      ...{ config, kafka, pool, consumer, giveUp, agreed, signal },
      withinMs: timeout * 1_000,
    })
    if (json) printJson({ removed: removed ?? null })
    if (!removed) return json ? undefined : say('Nothing was deleted.')
    say(`${consumer} is removed.`)
    if (consumerFolders().includes(consumer))
      say(`Delete the folder consumers/${consumer} too: otherwise the next \`npm start\` starts it again.`)
  } finally {
    await pool.end()
  }
}

async function scale(
  texts: string[],
  { restart, json, timeout }: ScaleOptions,
  { signal }: CommandFrame,
): Promise<void> {
  const { dataDir } = loadConfig()
  refuseForeignStack(dataDir)
  const wanted = parseReplicaCounts(texts, consumerFolders())
  const stack = await requireStack(dataDir)
  const config = configOf(stack)
  const pool = openForOperator(config)
  try {
    if (texts.length === 0 && restart === undefined) {
      const consumers = await during('Measuring rates for 2 s', readLoad({ config, pool, stack, signal }))
      return json ? printJson(loadJson(consumers)) : printReport(loadReport(consumers))
    }
    const following = { config, pool, withinMs: timeout * 1_000, signal }
    const restarting = restart === undefined ? undefined : parseRestart(restart, stack, consumerFolders())
    const changing = !restarting
      ? changeReplicas({ ...following, wanted })
      : restarting.consumers.length > 0
        ? restartReplicas(restarting.consumers, { ...following, stack })
        : Promise.resolve([])
    const changes = await during('Changing replicas and waiting until their lanes settle', changing)
    if (!json) for (const change of changes) printReport(changeReport(change))
    if (restarting?.api) await during('Replacing the orders API', restartApi(dataDir, timeout * 1_000))
    if (json) printJson({ consumers: changes.map(changeJson), ordersApi: restarting?.api ?? false })
    else if (restarting?.api) say('orders-api: replaced. Its port was open all the time.')
    if (changes.some(({ totals }) => totals.after.faults.length > 0)) process.exitCode = 1
  } finally {
    await pool.end()
  }
}
