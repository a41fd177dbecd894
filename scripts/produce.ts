import { randomInt } from 'node:crypto'
import { Option } from 'commander'
import type { Command } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { generateEvents } from '../producers/sample-data/event-generator.ts'
import { createEventReader } from '../producers/event-json/event-json.ts'
import { isEventType, unknownType } from '../producers/event-json/event-type-names.ts'
import { sendAll } from '../producers/direct/send-all.ts'
import type { EventType } from '../schemas/generated/events.ts'
import { eventTypes, topicOf } from '../schemas/topics.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import { integer, positive } from './cli/arguments.ts'
import { createProgress } from './cli/progress.ts'
import { toApi, toKafka } from './produce/destination.ts'
import { fromFile, fromStream } from './produce/event-source.ts'
import type { EventSource } from './produce/event-source.ts'

interface Options extends CommonOptions {
  count?: number
  rate?: number
  seed?: number
  file?: string
  via: 'kafka' | 'api'
  key?: string
  skipBad?: boolean
  dryRun?: boolean
  forge?: boolean
}

const shownByDryRun = 5
const faultsShown = 20
const examples = [
  'npm run produce -- OrderPlaced --count 10000 --rate 500 --seed 42',
  'npm run produce -- StockReplenished --count 200    # a delivery of every article orders are made of',
  'npm run produce -- CancellationRequested --key 0b391312-49a5-511c-8ffc-c4a26a3f6272',
  'npm run produce -- --file events.ndjson --skip-bad',
  'npm run -s produce -- OrderPlaced --count 5 --dry-run | npm run produce -- - --via api',
]

await runCommand(({ signal }) =>
  createCommand(
    'produce',
    'Write events to Kafka, or orders to the orders API; the same seed makes the same events again',
    examples,
  )
    .argument('[type]', `event type: ${eventTypes.join(', ')}`)
    .argument('[input]', '- reads events from standard input, one per line')
    .option('--count <n>', 'how many events to make (default: 1)', integer(1))
    .option('--rate <n>', 'events per second, whatever the answers take (default: as fast as possible)', positive)
    .option('--seed <n>', 'what events and ids derive from (default: a new one, which is told)', integer(0))
    .option('--key <id>', 'make all events about this order, or this article for StockReplenished')
    .option(
      '--file <path>',
      'events to send, one JSON object per line: {"type", "id"?, "time"?, "data"}, or the data of [type]',
    )
    .addOption(
      new Option('--via <way>', 'straight to Kafka, or as orders to the API')
        .choices(['kafka', 'api'])
        .default('kafka'),
    )
    .option('--skip-bad', 'send the good lines although there are bad ones')
    .option(
      '--forge',
      'make up events that only a service should write, such as PaymentCaptured: the books no longer balance',
    )
    .option('--dry-run', `check everything, send nothing, print the first ${shownByDryRun} events`)
    .action((type: string | undefined, input: string | undefined, options: Options, command: Command) =>
      produce(understand(type, input, options, command), options, signal),
    ),
)

interface Request {
  type?: EventType
  /** A path, or - for standard input; without it events are generated. */
  input?: string
}

/** Makes sense of the arguments, or ends the command saying why they make none. */
function understand(
  first: string | undefined,
  second: string | undefined,
  options: Options,
  command: Command,
): Request {
  const [type, dash] = first === '-' && second === undefined ? [undefined, first] : [first, second]
  if (type !== undefined && !isEventType(type)) command.error(`error: ${unknownType(type)}`)
  if (dash !== undefined && dash !== '-') command.error(`error: ${dash} is one argument too many`)
  if (dash !== undefined && options.file !== undefined) command.error('error: --file and - exclude each other')
  const input = dash ?? options.file
  if (input === undefined && type === undefined)
    command.error('error: say which event type to make, or what to read with --file or -')
  if (input !== undefined && (options.count ?? options.key) !== undefined) {
    command.error('error: --count and --key are for events that are made, not for those that are read')
  }
  if (options.via === 'api' && type !== undefined && type !== 'OrderPlaced')
    command.error('error: the orders API takes OrderPlaced only')
  if (
    input === undefined &&
    type &&
    !topicOf(type).writtenBy.includes('scripts') &&
    !options.forge &&
    !options.dryRun
  ) {
    const { writtenBy } = topicOf(type)
    command.error(
      `error: ${type} is for ${writtenBy} to say: made up, it falsifies the books that verify checks. If that is what you want, add --forge`,
    )
  }
  return { type, input }
}

async function produce({ type, input }: Request, options: Options, signal: AbortSignal): Promise<void> {
  const { seed = randomInt(2 ** 31), via, rate, json } = options
  const totals = { sent: 0, badLines: 0, refused: 0, seed }
  const tell = limited(faultsShown)
  const source = await sourceOf({ type, input }, { ...options, seed }, signal, (line, faults) => {
    totals.badLines++
    for (const fault of faults) tell(`line ${line}: ${fault}`)
  })
  if (options.dryRun) return dryRun(source, () => totals.badLines)

  const config = loadConfig()
  const refuse = (reason: string) => {
    totals.refused++
    tell(reason)
  }
  const onRefused = options.skipBad ? refuse : undefined
  const destination =
    via === 'api'
      ? await toApi({ config, signal, withCatalogue: input === undefined, onRefused })
      : await toKafka(config, type ? [type] : eventTypes, signal)
  const progress = createProgress('Sent', { total: source.total })
  const onProgress = (done: number) => {
    totals.sent = done - totals.refused
    progress.update(done)
  }
  try {
    await sendAll(source.events, destination.send, {
      maxOutstanding: destination.maxOutstanding,
      rate,
      signal,
      onProgress,
    })
    signal.throwIfAborted()
  } finally {
    await destination.stop()
    progress.finish()
    if (json) printJson(totals)
    else if (options.seed === undefined && totals.sent > 0)
      say(`With --seed ${seed} the same command sends the same events again.`)
  }
}

async function sourceOf(
  { type, input }: Request,
  { count = 1, seed, key, via, skipBad = false }: Options & { seed: number },
  signal: AbortSignal,
  onBad: (line: number, faults: readonly string[]) => void,
): Promise<EventSource> {
  if (input === undefined && type !== undefined)
    return { events: generateEvents(type, { count, seed, key }), total: count }
  const readAny = createEventReader({ type, seed })
  const read: typeof readAny = (text, number) => {
    const result = readAny(text, number)
    const foreign = via === 'api' && result.event && result.event.type !== 'OrderPlaced'
    return foreign ? { faults: [`the orders API takes OrderPlaced, not ${result.event?.type}`] } : result
  }
  const lines = { read, skipBad, signal, onBad }
  return input === undefined || input === '-' ? fromStream(process.stdin, lines) : fromFile(input, lines)
}

async function dryRun(source: EventSource, badLines: () => number): Promise<void> {
  let events = 0
  for await (const event of source.events) if (events++ < shownByDryRun) printJson(event)
  say(`Nothing was sent: this was a dry run over ${events} events and ${badLines()} bad lines.`)
}

/** Says the first so many, and then once that there are more. */
function limited(most: number): (text: string) => void {
  let said = 0
  return (text) => {
    if (said++ < most) say(text)
    else if (said === most + 2) say('… and more')
  }
}
