import { Option } from 'commander'
import type { Command } from 'commander'
import { integer } from './cli/arguments.ts'
import { count } from './cli/figures.ts'
import type { Config } from '../infra/config.ts'
import { consoleProcess, pipeline, replicas } from './pipeline.ts'
import { startOrFindStack } from '../infra/stack/supervisor/running-stack.ts'
import { embeddedServers } from '../infra/stack/servers/servers.ts'
import { queueServers } from '../infra/queue-settings.ts'
import type { QueueServer } from '../infra/queue-settings.ts'
import { createLogger } from '../infra/logger.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { assertBridge, bridgeProcess, demoQueue, prepareQueueDoor } from './demo/demo-bridge.ts'
import { runDemo } from './demo/run-demo.ts'
import type { DemoResult } from './demo/run-demo.ts'
import { stackConfig, withStackOptions } from './stack/stack-options.ts'
import type { NewStackOptions } from './stack/stack-options.ts'
import { addressLines } from './stack/addresses.ts'
import { verdictJson, verdictReport } from './verify/print-verdict.ts'
import { printReport } from './cli/report.ts'

interface Options extends CommonOptions, NewStackOptions {
  orders: number
  seed: number
  exit?: boolean
  door?: QueueServer
}

export const demoCommand = ({ signal }: CommandFrame): Command =>
  withStackOptions(
    createCommand(
      'demo',
      'Start the stack, place orders, show their progress and prove the result',
      [
        'npm run demo',
        'npm run demo -- --exit --orders 10000',
        'npm run demo -- --seed 7',
        'npm run demo -- --brokers 3',
        'npm run demo -- --door rabbitmq  # orders enter through a queue',
      ],
      'The stack keeps running until Ctrl-C. A stack that runs already is used and left running. Orders of the same seed have the same idempotency keys, so nothing is placed twice.',
    ),
  )
    .option('--orders <n>', 'number of orders to place', integer(1, 1_000_000), 1_000)
    .option('--seed <n>', 'number from which the orders derive', integer(0, 2 ** 31), 1)
    .addOption(
      new Option('--door <server>', 'have orders enter through a queue and a bridge (default: the orders API)').choices(
        queueServers,
      ),
    )
    .option('--exit', 'stop the stack at the end if this command started it; exit code 1 if an invariant is violated')
    .action((options: Options) => demo(options, signal))

if (import.meta.main) await runCommand(demoCommand)

async function demo(options: Options, interrupt: AbortSignal): Promise<void> {
  const { orders, seed, exit, json, brokers, secure, door } = options
  if (door) prepareQueueDoor(door)
  const config = await stackConfig({ brokers, secure })
  const { embedded, nodes } = config.kafka
  if (embedded && nodes.length > 1) say(`Kafka with ${nodes.length} brokers`)
  if (door) say(`Orders enter through the queue ${demoQueue[door]} of ${door === 'sqs' ? 'Amazon SQS' : 'RabbitMQ'}`)
  const failed = new AbortController() // Ends the demo if the stack does not start
  const starting = startOrFindStack(config, {
    processes: [
      ...embeddedServers(config, { durable: true }),
      ...pipeline(config),
      consoleProcess(config),
      ...(door ? [bridgeProcess(door, config)] : []),
    ],
    replicas,
    sharesSettings: true,
    onProgress: say,
    signal: interrupt,
  })
  const stackReady = starting.then((stack) => {
    if (door && 'found' in stack) assertBridge(door, stack.found)
    return stack
  })
  stackReady.catch((error: unknown) => failed.abort(error))
  try {
    const log = createLogger('demo', config.logLevel === 'info' ? 'error' : config.logLevel)
    const signal = AbortSignal.any([interrupt, failed.signal])
    const result = await runDemo({ config, orders, seed, door, stackReady, log, signal, say })
    if (json) printJson({ ...result, verdict: verdictJson(result.verdict) })
    else printResult(result, orders)
    if (!result.verdict.ok) process.exitCode = 1
    const stack = await starting
    if ('found' in stack)
      return say('The stack was running before and keeps running. `npm run stack -- down` stops it.')
    if (exit) return
    say(addressLines(stack.started.status()))
    sayWhatNext(config)
    await stack.started.ended
  } finally {
    const stack = await starting.catch(() => undefined)
    if (stack && 'started' in stack) await stack.started.down()
  }
}

function printResult({ repeated, verdict }: DemoResult, orders: number): void {
  if (repeated > 0)
    say(
      `An earlier run with this seed placed ${count(repeated)} of the ${count(orders)} orders.\nFor new orders, choose another --seed.`,
    )
  process.stdout.write('\n')
  printReport(verdictReport(verdict))
}

function sayWhatNext({ ports }: Config): void {
  say(
    [
      'The stack keeps running until Ctrl-C. In another terminal:',
      `  curl http://127.0.0.1:${ports.api}/products?limit=3`,
      '  npm run demo -- --seed 2  # 1,000 other orders',
      '  npm run produce -- OrderPlaced --count 1000 --seed 42',
      '  npm run stack -- status  # then kill -9 any process',
      '  npm run verify',
    ].join('\n'),
  )
}
