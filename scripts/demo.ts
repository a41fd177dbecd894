import { InvalidArgumentError } from 'commander'
import type { Config } from '../infra/config.ts'
import { pipeline, replicas } from './pipeline.ts'
import { startOrFindStack } from '../infra/stack/supervisor/running-stack.ts'
import { embeddedServers } from '../infra/stack/servers/servers.ts'
import { createLogger } from '../infra/logger.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import { runDemo } from './demo/run-demo.ts'
import type { DemoResult } from './demo/run-demo.ts'
import { configWithBrokers, withBrokersOption } from './stack/brokers-option.ts'
import type { BrokersOption } from './stack/brokers-option.ts'
import { addressLines } from './stack/addresses.ts'
import { verdictJson, verdictReport } from './verify/print-verdict.ts'
import { printReport } from './cli/report.ts'

interface Options extends CommonOptions, BrokersOption {
  orders: number
  seed: number
  exit?: boolean
}

await runCommand(({ signal }) =>
  withBrokersOption(
    createCommand(
      'demo',
      'Start the stack, place orders, watch them flow, prove what became of them; then keep running',
      [
        'npm run demo',
        'npm run demo -- --exit --orders 10000',
        'npm run demo -- --seed 7    # other orders; the same seed again places nothing twice',
        'npm run demo -- --brokers 3    # then kill -9 any broker',
      ],
    ),
  )
    .option('--orders <n>', 'how many orders to place', whole(1, 1_000_000), 1_000)
    .option(
      '--seed <n>',
      'which orders: the same seed gives the same orders under the same idempotency keys',
      whole(0, 2 ** 31),
      1,
    )
    .option('--exit', 'end the stack afterwards, if this command started it; exit code 1 if an invariant is violated')
    .action((options: Options) => demo(options, signal)),
)

async function demo({ orders, seed, exit, json, brokers }: Options, interrupt: AbortSignal): Promise<void> {
  const config = configWithBrokers({ brokers })
  const failed = new AbortController() // Nobody must wait for a stack that did not start
  const starting = startOrFindStack(config, {
    processes: [...embeddedServers(config, { durable: true }), ...pipeline(config)],
    replicas,
    onProgress: say,
    signal: interrupt,
  })
  starting.catch((error: unknown) => failed.abort(error))
  try {
    const log = createLogger('demo', config.logLevel === 'info' ? 'error' : config.logLevel)
    const signal = AbortSignal.any([interrupt, failed.signal])
    const result = await runDemo({ config, orders, seed, stackReady: starting, log, signal, say })
    if (json) printJson({ ...result, verdict: verdictJson(result.verdict) })
    else printResult(result, orders)
    if (!result.verdict.ok) process.exitCode = 1
    const stack = await starting
    if ('found' in stack) return say('The stack ran before this command and goes on: `npm run stack -- down` stops it.')
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
  if (repeated > 0) {
    say(
      `${repeated.toLocaleString('en')} of the ${orders.toLocaleString('en')} orders had been placed by an earlier run with this seed. The API knew their keys and gave the same answers: nothing was placed twice. For new orders take another --seed.`,
    )
  }
  process.stdout.write('\n')
  printReport(verdictReport(verdict))
}

function sayWhatNext({ ports }: Config): void {
  say(
    [
      'The stack keeps running until Ctrl-C. In another terminal:',
      `  curl http://127.0.0.1:${ports.api}/products?limit=3`,
      '  npm run demo -- --seed 2        1,000 other orders into the same stack',
      '  npm run produce -- OrderPlaced --count 1000 --seed 42',
      '  npm run stack -- status         what runs: kill -9 any of it',
      '  npm run verify                  the proof again, at any time',
    ].join('\n'),
  )
}

function whole(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`)
  }
}
