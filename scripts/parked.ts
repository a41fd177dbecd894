import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { choose, findEvents, parseEventName } from '../consumers/operations/parked/choose-parked.ts'
import type { Choice, Chosen, ChosenEvent, EventName } from '../consumers/operations/parked/choose-parked.ts'
import { withParkedGroups } from '../consumers/operations/parked/parked-groups.ts'
import { parseRangeBound } from '../consumers/operations/replay/plan/range-bound.ts'
import type { ParkedInput } from '../consumers/runtime/model.ts'
import { loadConfig } from '../infra/config.ts'
import { isTallyError } from '../infra/errors.ts'
import { integer, positive } from './cli/arguments.ts'
import { addSubcommand, createCommand, runCommand } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { causes } from './parked/causes.ts'
import { drop } from './parked/drop.ts'
import type { DropOptions } from './parked/drop.ts'
import { edit } from './parked/edit.ts'
import type { EditOptions } from './parked/edit.ts'
import { log } from './parked/log.ts'
import type { LogOptions } from './parked/log.ts'
import { ls } from './parked/ls.ts'
import type { ListOptions } from './parked/ls.ts'
import { printDryRun } from './parked/print-dry-run.ts'
import { redrive } from './parked/redrive.ts'
import type { RedriveOptions } from './parked/redrive.ts'
import { show } from './parked/show.ts'

const reasons = [
  'UNREADABLE',
  'MISROUTED',
  'HANDLER_FAILED',
  'REFUSED_BY_DATABASE',
  'KILLED_PROCESS',
  'BEHIND',
] as const

const eventHelp = 'payment/17 (or 17 if it is unique), or a record in all groups: orders/3:1200'

export function parkedCommand({ signal }: CommandFrame): Command {
  const program = createCommand('parked', 'Show, redrive, edit or drop events that could not be handled', [
    'npm run parked -- ls --group payment',
    'npm run parked -- show payment/17',
    'npm run parked -- redrive --key o-1 --dry-run',
    `npm run parked -- edit payment/17 --value '{"orderId":"o-1", …}' --why "quantity was missing"`,
    'npm run parked -- drop payment/17 payment/18 --why "test orders"',
    'npm run parked -- log --since -2h',
  ])
  choosing(
    addSubcommand(
      program,
      'ls',
      'List parked records, the oldest first',
      ['npm run parked -- ls', 'npm run parked -- ls --group payment --reason UNREADABLE'],
      '',
      { isDefault: true },
    ),
  )
    .option('-n, --limit <count>', 'number of records', integer(1), 20)
    .option('--newest', 'list the newest records instead of the oldest')
    .action((_events, _options, command) => onChosen(command, (chosen, options: ListOptions) => ls(chosen, options)))
  addSubcommand(program, 'causes', 'Count parked events by what went wrong', [
    'npm run parked -- causes',
    'npm run parked -- redrive --cause 1c0ffee1 --dry-run',
  ])
    .option('-g, --group <name>', 'consumer (default: all); repeatable', listed)
    .action((_options, command: Command) => {
      const { group, json } = command.optsWithGlobals<CommonOptions & { group?: string[] }>()
      return withParkedGroups(loadConfig(), group, (groups) => causes(groups, { json }))
    })
  addSubcommand(program, 'show', 'Show everything that is known of an event', [
    'npm run parked -- show payment/17',
    'npm run parked -- show orders/3:1200 --json',
  ])
    .argument('<event>', eventHelp, eventName)
    .option('-g, --group <name>', 'consumer that has parked it (default: all); repeatable', listed)
    .action((_event, _options, command) =>
      onEvents(command, (events, options: CommonOptions) => show(loadConfig(), events, options, signal)),
    )
  dryRun(
    acting(
      choosing(
        addSubcommand(
          program,
          'redrive',
          'Handle parked events now, each key from its first parked event',
          [
            'npm run parked -- redrive payment/17 --dry-run',
            'npm run parked -- redrive --group payment --yes',
            'npm run parked -- redrive orders/3:1200',
          ],
          'Exit code 1: an event failed again or could not be tried.',
        ),
      ),
    ),
  )
    .option('--no-wait', 'do not wait for the result')
    .option('--rate <keys>', 'keys a second to make due (default: as many as possible)', positive)
    .option('--why <reason>', 'reason, kept in the audit')
    .action((_events, _options, command) =>
      onChosen(command, (chosen, options: RedriveOptions & DryRunOptions) =>
        isDryRun(options)
          ? printDryRun(loadConfig(), chosen, options, signal)
          : redrive(loadConfig(), chosen, options, signal),
      ),
    )
  dryRun(
    acting(
      addSubcommand(program, 'edit', 'Replace the contents of an event and redrive it', [
        'npm run parked -- edit payment/17 --why "the quantity was missing"',
        `npm run parked -- edit payment/17 --value '{"orderId":"o-1", …}' --why "typing error"`,
        'npm run parked -- edit payment/17 --value-file event.json --why "typing error" --dry-run',
      ]),
    ),
  )
    .argument('<event>', eventHelp, eventName)
    .option('-g, --group <name>', 'consumer that has parked it (default: all); repeatable', listed)
    .option('--value <json>', 'data of the event, or answer to the call (default: opens $EDITOR)')
    .option('--value-file <file>', 'file with the same')
    .option('--type <event>', 'event type (default: as the record says)')
    .requiredOption('--why <reason>', 'reason, kept in the audit')
    .option('--no-redrive', 'leave the event parked')
    .option('--no-wait', 'do not wait for the result of the redrive')
    .action((_event, _options, command) =>
      onEvents(command, (events, options: EditOptions & DryRunOptions) =>
        edit(loadConfig(), events, { ...options, dryRun: isDryRun(options) }, signal),
      ),
    )
  acting(
    choosing(
      addSubcommand(program, 'drop', 'Drop events for good; their bytes stay in the audit', [
        'npm run parked -- drop payment/17 payment/18 --why "test orders"',
        'npm run parked -- drop --reason UNREADABLE --why "not Avro" --yes',
      ]),
    ),
  )
    .requiredOption('--why <reason>', 'reason, kept in the audit')
    .action((_events, _options, command) =>
      onChosen(command, (chosen, options: DropOptions) => drop(chosen, options, signal)),
    )
  addSubcommand(program, 'log', 'Show what was done to parked events, the newest first', [
    'npm run parked -- log --since -2h',
    'npm run parked -- log --group payment --key o-1 --json',
  ])
    .option('-g, --group <name>', 'consumer (default: all); repeatable', listed)
    .option('-k, --key <key>', 'key, such as an order id (default: all); repeatable', listed)
    .option('--since <time>', 'earliest time: -2h, 2026-03-01T18:00Z or epoch ms (default: all)', time)
    .option('-n, --limit <count>', 'number of entries', integer(1), 50)
    .action((_options, command: Command) => {
      const options = command.optsWithGlobals<LogOptions & { group?: string[] }>()
      return withParkedGroups(loadConfig(), options.group, (groups) => log(groups, options))
    })
  return program
}

if (import.meta.main) await runCommand(parkedCommand)

interface DryRunOptions {
  dryRun?: boolean
  rehearse?: boolean
}

function choosing(command: Command): Command {
  return command
    .argument('[events...]', eventHelp, eventName)
    .option('-g, --group <name>', 'choose events of this consumer; repeatable', listed)
    .option('-k, --key <key>', 'choose events of this key, such as an order id; repeatable', listed)
    .option('-r, --reason <code>', `choose events with this reason: ${reasons.join(', ')}; repeatable`, reason)
    .option('--cause <id>', 'choose events of this cause, as `causes` names it; repeatable', listed)
    .option('--id <events...>', 'same as the arguments', eventName)
    .option('--all', 'choose all parked events')
}

function acting(command: Command): Command {
  return command
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--actor <name>', 'name kept in the audit (default: your user name)')
}

function dryRun(command: Command): Command {
  return command
    .option('--dry-run', 'show what a redrive would change and send, and change nothing')
    .addOption(new Option('--rehearse', 'the same as --dry-run').hideHelp())
}

function isDryRun(options: DryRunOptions): boolean {
  return options.dryRun ?? options.rehearse ?? false
}

async function onChosen<Options>(
  command: Command,
  work: (chosen: readonly Chosen[], options: Options & CommonOptions) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<
    Choice & { group?: string[]; id?: EventName[]; all?: boolean } & Options & CommonOptions
  >()
  const named = [...((command.processedArgs[0] as EventName[] | undefined) ?? []), ...(options.id ?? [])]
  const { key, reason: reasons, cause } = options
  const choice: Choice = { key, reason: reasons, cause, id: named.length > 0 ? named : undefined }
  if (command.name() !== 'ls' && !(choice.id ?? options.group ?? key ?? reasons ?? cause ?? options.all))
    command.error('Name the events, or choose them with --group, --key, --reason, --cause or --all')
  await withParkedGroups(loadConfig(), options.group, async (groups) => work(await choose(groups, choice), options))
}

async function onEvents<Options>(
  command: Command,
  work: (events: readonly ChosenEvent[], options: Options & CommonOptions) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<{ group?: string[] } & Options & CommonOptions>()
  const [name] = command.processedArgs[0] as EventName[]
  if (!name) return
  await withParkedGroups(loadConfig(), options.group, async (groups) => work(await findEvents(groups, name), options))
}

function eventName(text: string, before: readonly EventName[] = []): EventName[] {
  const name = parseEventName(text)
  if (!name) throw new InvalidArgumentError('An event is named like payment/17, 17 or orders/3:1200.')
  return [...before, name]
}

function time(text: string): Date {
  try {
    const bound = parseRangeBound(text)
    if (bound.at === 'time') return new Date(bound.time)
  } catch (error) {
    if (!isTallyError(error, 'USAGE')) throw error
    throw new InvalidArgumentError(`${error.message}.`)
  }
  throw new InvalidArgumentError('A time is like -2h, 2026-03-01T18:00Z or 1772388000000.')
}

function listed(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

function reason(text: string, before: readonly ParkedInput['reason'][] = []): ParkedInput['reason'][] {
  const found = reasons.find((code) => code === text.toUpperCase())
  if (!found) throw new InvalidArgumentError(`Reasons are ${reasons.join(', ')}.`)
  return [...before, found]
}
