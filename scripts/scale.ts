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
import { changeJson, printChange } from './scale/print-change.ts'
import { readLoad } from '../consumers/operations/replicas/consumer-load.ts'
import type { Orphans } from '../consumers/operations/replicas/orphans.ts'
import { printOrphans, typedName } from './scale/print-orphans.ts'
import { openForRemoval, removeConsumer } from '../consumers/operations/replicas/remove-consumer.ts'
import { loadJson, printLoad } from './scale/print-load.ts'
import { parseReplicaCounts } from './scale/replica-counts.ts'
import { parseRestart, restartReplicas } from '../consumers/operations/replicas/restart-replicas.ts'
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

await runCommand((frame) => {
  const command = createCommand(
    'scale',
    'How many replicas consumers have; have more or fewer of them while events flow',
    [
      'npm run scale',
      'npm run scale -- payment=4 inventory=2',
      'npm run scale -- payment=1 --json',
      'npm run scale -- loyalty=1     # a consumer whose folder has just been added',
      'npm run scale -- --restart payment     # with the code as it is now; without a name all consumers',
      'npm run scale -- --remove loyalty',
      'npm run scale -- --advise                # how many are needed, and why',
      'npm run scale -- --advise --serve        # the same as metrics, for KEDA or Prometheus',
    ],
  )
    .argument('[consumer=replicas...]', 'what to have from now on; with none, shows what there is')
    .option(
      '--restart [consumers...]',
      'replace every replica by a new one, one after the other; of all consumers if none is named',
    )
    .option('--remove <consumer>', 'stop a consumer and delete all it has on the servers, after a question')
    .option('-y, --yes', 'with --remove: do not ask')
    .option('--give-up', 'with --remove: lose events it has not published and calls that have no answer')
    .option('--timeout <seconds>', 'for a replica to start, and for the lanes to settle', integer(1), 60)
  return addAdviceOptions(command)
    .addHelpText(
      'after',
      '\nThe numbers hold until the stack is stopped: `npm start` begins with one replica of each consumer. A standstill is the\ntime between two commits of a lane, so it says something of lanes that had something to take.',
    )
    .action((texts: string[], options: ScaleOptions) => {
      checkAdviceOptions(command, options)
      if (options.advise) {
        if (options.remove !== undefined || options.restart !== undefined)
          command.error('--advise changes nothing: run --restart or --remove as a separate command')
        return giveAdvice(texts, options, frame)
      }
      if (options.restart !== undefined && (texts.length > 0 || options.remove !== undefined))
        command.error('--restart changes no numbers and removes nothing: give one command after the other')
      if (options.remove !== undefined && texts.length > 0)
        command.error('--remove takes one consumer and changes no others')
      return options.remove === undefined ? scale(texts, options, frame) : remove(options.remove, options, frame)
    })
})

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
    if (!json) printOrphans(consumer, orphans)
    return yes || typedName(consumer)
  }
  try {
    const kafka = connectKafka('scale', config)
    const removed = await removeConsumer({
      ...{ config, kafka, pool, consumer, giveUp, agreed, signal },
      withinMs: timeout * 1_000,
    })
    if (json) printJson({ removed: removed ?? null })
    if (!removed) return say('Kept')
    say(`${consumer} is removed`)
    if (consumerFolders().includes(consumer))
      say(`Delete consumers/${consumer}, too: the next \`npm start\` would run it again, from its beginning`)
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
      const consumers = await readLoad({ config, pool, stack, signal })
      return json ? printJson(loadJson(consumers)) : printLoad(consumers)
    }
    const following = { config, pool, withinMs: timeout * 1_000, signal }
    const changes =
      restart === undefined
        ? await changeReplicas({ ...following, wanted })
        : await restartReplicas(parseRestart(restart, stack, consumerFolders()), { ...following, stack })
    if (json) printJson({ consumers: changes.map(changeJson) })
    else changes.forEach(printChange)
    if (changes.some(({ books }) => books.after.faults.length > 0)) process.exitCode = 1
  } finally {
    await pool.end()
  }
}
