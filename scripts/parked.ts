import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { createCommand, runCommand } from './cli/command.ts'
import type { CommonOptions } from './cli/command.ts'
import { integer } from './cli/arguments.ts'
import { drop } from './parked/drop.ts'
import type { DropOptions } from './parked/drop.ts'
import { edit } from './parked/edit.ts'
import type { EditOptions } from './parked/edit.ts'
import { choose, findEvent, parseEventName, withLots } from '../consumers/operations/parked/choose-parked.ts'
import type { Choice, Chosen, EventName, Lot } from '../consumers/operations/parked/choose-parked.ts'
import { ls } from './parked/ls.ts'
import type { ListOptions } from './parked/ls.ts'
import { redrive } from './parked/redrive.ts'
import type { RedriveOptions } from './parked/redrive.ts'
import { rehearse } from './parked/rehearsal.ts'
import { show } from './parked/show.ts'
import type { ParkedInput } from '../consumers/runtime/model.ts'

const reasons = [
  'UNREADABLE',
  'MISROUTED',
  'HANDLER_FAILED',
  'REFUSED_BY_DATABASE',
  'KILLED_PROCESS',
  'BEHIND',
] as const

await runCommand(({ signal }) => {
  const program = createCommand(
    'parked',
    'Events that could not be handled: look at them, have them handled again, mend or drop them',
    [
      'npm run parked -- ls',
      'npm run parked -- ls --group payment --reason UNREADABLE',
      'npm run parked -- show payment/17',
      'npm run parked -- redrive --key o-1 --rehearse',
      'npm run parked -- redrive --group payment --yes',
      `npm run parked -- edit payment/17 --value '{"orderId":"o-1", …}' --why "the quantity was missing"`,
      'npm run parked -- drop payment/17 payment/18 --why "test orders"',
    ],
  )
  choosing(program.command('ls', { isDefault: true }).description('what is parked, by default the oldest 20'))
    .option('-n, --limit <count>', 'how many to list', integer(1), 20)
    .option('--newest', 'the newest instead of the oldest')
    .action((_ids, _options, command) => onChosen(command, (chosen, options: ListOptions) => ls(chosen, options)))
  program
    .command('show')
    .description('everything that is known of one')
    .argument('<event>', 'like payment/17, or 17 where that is clear', parseEventName)
    .option('-g, --group <name>', 'of this consumer', listed)
    .action((_id, _options, command) =>
      onOne(command, (event, options: CommonOptions) => show(loadConfig(), event, options, signal)),
    )
  acting(
    choosing(
      program
        .command('redrive')
        .description('have their lanes handle them again now, each key from its first event on'),
    ),
  )
    .option('--rehearse', 'show what it would change and send, and do nothing')
    .option('--no-wait', 'do not wait for what becomes of them')
    .option('--why <reason>', 'kept in the audit')
    .action((_ids, _options, command) =>
      onChosen(command, (chosen, options: RedriveOptions & { rehearse?: boolean }) =>
        (options.rehearse ? rehearse : redrive)(loadConfig(), chosen, options, signal),
      ),
    )
  acting(
    program
      .command('edit')
      .description('give one other contents; headers and id stay. Then it is handled, from the first of its key on'),
  )
    .argument('<event>', 'like payment/17, or 17 where that is clear', parseEventName)
    .option('-g, --group <name>', 'of this consumer', listed)
    .option('--value <json>', "the event's data, or the answer to the call")
    .option('--value-file <file>', 'the same in a file; without either $EDITOR opens')
    .option('--type <event>', 'what event it is, where the record does not say')
    .requiredOption('--why <reason>', 'kept in the audit')
    .option('--rehearse', 'show what a redrive would then do, and do nothing')
    .option('--no-redrive', 'leave it parked')
    .option('--no-wait', 'do not wait for what becomes of it')
    .action((_id, _options, command) =>
      onOne(command, (event, options: EditOptions) => edit(loadConfig(), event, options, signal)),
    )
  acting(choosing(program.command('drop').description('give them up for good; their bytes stay in the audit')))
    .requiredOption('--why <reason>', 'kept in the audit')
    .action((_ids, _options, command) =>
      onChosen(command, (chosen, options: DropOptions) => drop(chosen, options, signal)),
    )
  return program
})

function choosing(command: Command): Command {
  return command
    .argument('[events...]', 'like payment/17, or 17 where that is clear', parseEventName)
    .option('-g, --group <name>', 'of this consumer; may be repeated', listed)
    .option('-k, --key <key>', 'of this key (order id); may be repeated', listed)
    .option('-r, --reason <code>', `parked for this reason: ${reasons.join(', ')}; may be repeated`, reason)
    .option('--id <events...>', 'the same as naming them', parseEventName)
    .option('--all', 'everything that is parked')
}

function acting(command: Command): Command {
  return command.option('-y, --yes', 'do not ask').option('--actor <name>', 'who acts, for the audit (default: you)')
}

async function onChosen<Options>(
  command: Command,
  work: (chosen: readonly Chosen[], options: Options & CommonOptions) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<Choice & Options & CommonOptions>()
  const named = [...((command.processedArgs[0] as EventName[] | undefined) ?? []), ...(options.id ?? [])]
  const choice = { ...options, id: named.length > 0 ? named : undefined }
  const { group, key, reason: why, all } = choice
  if (command.name() !== 'ls' && !(choice.id ?? group ?? key ?? why ?? all))
    command.error(`Which events? Name them, or say --group, --key, --reason or --all`)
  await withLots(loadConfig(), group, async (lots) => work(await choose(lots, choice), options))
}

async function onOne<Options>(
  command: Command,
  work: (event: { lot: Lot; id: number }, options: Options & CommonOptions) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<Choice & Options & CommonOptions>()
  const [name] = command.processedArgs[0] as EventName[]
  if (!name) return
  await withLots(loadConfig(), options.group, async (lots) =>
    work({ lot: await findEvent(lots, name), id: name.id }, options),
  )
}

function listed(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

function reason(text: string, before: readonly ParkedInput['reason'][] = []): ParkedInput['reason'][] {
  const found = reasons.find((code) => code === text.toUpperCase())
  if (!found) throw new InvalidArgumentError(`reasons are ${reasons.join(', ')}.`)
  return [...before, found]
}
