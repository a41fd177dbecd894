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
import { printable } from '../infra/text/printable.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { integer, positive } from './cli/arguments.ts'
import { count } from './cli/figures.ts'
import { createProgress } from './cli/progress.ts'
import { throughQueue, toApi, toKafka } from './produce/destination.ts'
import { fromFile, fromStream } from './produce/event-source.ts'
import type { EventSource } from './produce/event-source.ts'

interface Options extends CommonOptions {
  count?: number
  rate?: number
  seed?: number
  file?: string
  via: 'kafka' | 'api' | 'rabbitmq' | 'sqs'
  queue: string
  key?: string
  skipBad?: boolean
  dryRun?: boolean
  forge?: boolean
}

const shownByDryRun = 5
const faultsShown = 20
export const produceCommand = ({ signal }: CommandFrame): Command =>
  createCommand(
    'produce',
    'Write generated or given events to Kafka, or orders to the orders API',
    [
      'npm run produce -- OrderPlaced --count 10000 --rate 500 --seed 42',
      'npm run produce -- StockReplenished --count 200  # stock of every article',
      'npm run produce -- --file events.ndjson --skip-bad',
      'npm run -s produce -- OrderPlaced --count 5 --dry-run | npm run produce -- - --via api',
      'npm run produce -- OrderPlaced --count 1000 --via rabbitmq --queue orders',
    ],
    'The same seed generates the same events with the same ids. A file is UTF-8 with one JSON object per line: {"type", "id"?, "time"?, "data"}, or only the data of [type]. A time is RFC 3339 with an offset, or epoch milliseconds. Without an id, the id follows from type, data and --seed: sent twice, it counts once.',
  )
    .argument('[type]', `event type: ${eventTypes.join(', ')}`)
    .argument('[input]', '- to read events from standard input')
    .option('--count <n>', 'number of events to generate (default: 1)', integer(1))
    .option('--rate <n>', 'events per second (default: as fast as possible)', positive)
    .option('--seed <n>', 'number from which events and ids derive (default: random, printed at the end)', integer(0))
    .option('--key <id>', 'order id, or article for StockReplenished, of all events (default: from the seed)')
    .option('--file <path>', 'file of events to send')
    .addOption(
      new Option('--via <way>', 'write to Kafka directly, or place orders through the API or a queue')
        .choices(['kafka', 'api', 'rabbitmq', 'sqs'])
        .default('kafka'),
    )
    .option('--queue <name>', 'queue of --via rabbitmq or sqs, from which a bridge takes orders', 'orders')
    .option('--skip-bad', 'send the good lines of a file that has bad ones')
    .option('--forge', 'generate events that only a service may write; `npm run verify` then fails')
    .option('--dry-run', `check everything, send nothing, print the first ${shownByDryRun} events`)
    .action((type: string | undefined, input: string | undefined, options: Options, command: Command) =>
      produce(understand(type, input, options, command), options, signal),
    )

if (import.meta.main) await runCommand(produceCommand)

interface Request {
  type?: EventType
  /** A path, or - for standard input; without it events are generated. */
  input?: string
}

/** Checks the arguments. Ends the command with an error if they are invalid. */
function understand(
  first: string | undefined,
  second: string | undefined,
  options: Options,
  command: Command,
): Request {
  const [type, dash] = first === '-' && second === undefined ? [undefined, first] : [first, second]
  if (type !== undefined && !isEventType(type)) command.error(`error: ${unknownType(type)}`)
  if (dash !== undefined && dash !== '-') command.error(`error: unexpected argument ${dash}`)
  if (dash !== undefined && options.file !== undefined) command.error('error: --file and - exclude each other')
  const input = dash ?? options.file
  if (input === undefined && type === undefined)
    command.error('error: name an event type to generate, or read events with --file or -')
  if (input !== undefined && (options.count ?? options.key) !== undefined) {
    command.error('error: --count and --key apply only to generated events')
  }
  if (options.via !== 'kafka' && type !== undefined && type !== 'OrderPlaced')
    command.error(`error: --via ${options.via} accepts OrderPlaced only`)
  const forged = type && whyForged(type, options)
  if (input === undefined && forged) command.error(`error: ${forged}`)
  return { type, input }
}

/** Why an event must not be sent, whether it is generated or from a file; undefined if it may. */
function whyForged(type: EventType, { forge, dryRun }: Options): string | undefined {
  const { writtenBy } = topicOf(type)
  if (writtenBy.includes('scripts') || forge || dryRun) return undefined
  return `only ${writtenBy} may write ${type}: one from elsewhere makes verify fail. To write it anyway, add --forge`
}

async function produce({ type, input }: Request, options: Options, signal: AbortSignal): Promise<void> {
  const { seed = randomInt(2 ** 31), via, rate, json } = options
  const totals = { sent: 0, badLines: 0, refused: 0, seed }
  const tell = limited(faultsShown)
  const source = await sourceOf(
    { type, input },
    { ...options, seed, givenSeed: options.seed },
    signal,
    (line, faults) => {
      totals.badLines++
      for (const fault of faults) tell(`line ${line}: ${fault}`)
    },
  )
  if (options.dryRun) return dryRun(source, () => totals.badLines)

  const config = loadConfig()
  const refuse = (reason: string) => {
    totals.refused++
    tell(reason)
  }
  const onRefused = options.skipBad ? refuse : undefined
  const withCatalogue = input === undefined
  const destination =
    via === 'api'
      ? await toApi({ config, signal, withCatalogue, onRefused })
      : via === 'kafka'
        ? await toKafka(config, type ? [type] : eventTypes, signal)
        : await throughQueue({ config, signal, withCatalogue, server: via, queue: options.queue })
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
    else if (options.seed === undefined && input === undefined && totals.sent > 0)
      say(`To send the same events again, add --seed ${seed}.`)
  }
}

async function sourceOf(
  { type, input }: Request,
  options: Options & { seed: number; givenSeed?: number },
  signal: AbortSignal,
  onBad: (line: number, faults: readonly string[]) => void,
): Promise<EventSource> {
  const { count = 1, seed, givenSeed, key, via, skipBad = false } = options
  if (input === undefined && type !== undefined)
    return { events: generateEvents(type, { count, seed, key }), total: count }
  const readAny = createEventReader({ type, seed: givenSeed })
  const read: typeof readAny = (text) => {
    const result = readAny(text)
    const foreign = via !== 'kafka' && result.event && result.event.type !== 'OrderPlaced'
    if (foreign) return { faults: [`the orders API accepts OrderPlaced, not ${result.event?.type}`] }
    const forged = result.event && whyForged(result.event.type, options)
    return forged ? { faults: [forged] } : result
  }
  const lines = { read, skipBad, signal, onBad }
  return input === undefined || input === '-' ? fromStream(process.stdin, lines) : fromFile(input, lines)
}

async function dryRun(source: EventSource, badLines: () => number): Promise<void> {
  let events = 0
  for await (const event of source.events) if (events++ < shownByDryRun) printJson(event)
  say(`Dry run: nothing was sent. ${count(events, 'valid event')}, ${count(badLines(), 'bad line')}.`)
}

/** Prints the first `most` texts, then once that there are more. */
function limited(most: number): (text: string) => void {
  let said = 0
  return (text) => {
    if (said++ < most) say(printable(text))
    else if (said === most + 1) say('… and more')
  }
}
