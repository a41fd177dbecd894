import { Command, CommanderError, Help } from 'commander'
import type { CommandOptions, Option } from 'commander'
import { dataDirOf } from '../../infra/config.ts'
import { stackOf } from '../../infra/errors.ts'
import { printableLines, safeJson } from '../../infra/text/printable.ts'
import { explainFailure } from '../../infra/explain-failure.ts'
import { adoptRunningSettings, runningElsewhere } from '../../infra/stack/supervisor/running-settings.ts'
import { tableLines } from './table.ts'
import type { Cell } from './table.ts'
import { print, say, terminalWidth, wrap, wrapCommand } from './terminal.ts'

export { say } from './terminal.ts'

/**
 * The frame of every command. Conventions:
 *
 * - Results go to standard output, everything else (progress, diagnostics) to standard error.
 * - With `--json` standard output carries JSON and nothing else; counts of money and offsets are strings.
 * - Exit code 0: done; 1: failed or found something wrong; 2: wrong usage; 130: interrupted.
 */
export interface CommandFrame {
  /** Aborted by the first Ctrl-C, SIGTERM or closed terminal; a second one ends the process at once. */
  readonly signal: AbortSignal
}

/** Options every command has. */
export interface CommonOptions {
  json?: boolean
  trace?: boolean
}

/**
 * A command as `npm run <name>` shows it, with `--json`, `--trace` and `--help`. Options of the program are known to its
 * subcommands too: read them there with `optsWithGlobals()`.
 * @param summary imperative, without a full stop
 * @param examples complete command lines, shown by `--help`; each may be followed by two spaces and a `# comment`
 * @param notes what else the help tells, as paragraphs
 */
export function createCommand(name: string, summary: string, examples: readonly string[], notes = ''): Command {
  return new Command(`npm run ${name} --`)
    .description(summary)
    .option('--json', 'print results as JSON to standard output and nothing else there')
    .option('--trace', 'show stack traces of errors')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, optionDescription: describeOption }) // Of subcommands, too
    .configureOutput({ getOutHelpWidth: terminalWidth, getErrHelpWidth: terminalWidth })
    .addHelpText('after', () => examplesText(examples, notes))
    .showHelpAfterError(`(\`npm run ${name} -- --help\` shows the options and examples)`)
    .exitOverride()
}

/** What Commander shows of an option, and whether the command needs it. */
const describeOption = (option: Option): string =>
  `${new Help().optionDescription(option)}${option.mandatory ? ' (required)' : ''}`

/** Adds a subcommand with its own examples to a program. */
export const addSubcommand = (
  program: Command,
  name: string,
  summary: string,
  examples: readonly string[],
  notes = '',
  options: CommandOptions = {},
): Command =>
  program
    .command(name, options)
    .description(summary)
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', () => examplesText(examples, notes))

/** For the help of a subcommand: `addHelpText('after', examplesText([…]))`. */
export function examplesText(examples: readonly string[], notes = ''): string {
  const width = terminalWidth()
  const lines = examples.flatMap((example) => {
    const [command = '', comment] = example.split(/ {2,}(?=# )/)
    if (comment === undefined) return wrapCommand(command, width, '  ')
    const together = `  ${command}  ${comment}`
    return together.length <= width
      ? [together]
      : [...wrap(`  ${comment}`, width), ...wrapCommand(command, width, '  ')]
  })
  const told = notes === '' ? '' : `${wrap(notes, width).join('\n')}\n\n`
  return `\n${told}Examples:\n${lines.join('\n')}`
}

/**
 * Runs the command that `build` makes; failures become one sentence and an exit code. Sets `process.exitCode` and lets
 * the process end by itself, so whoever leaves a connection open notices.
 * @param ofRunningStack whether it means the stack that runs on the data folder, with the variables of that stack
 */
export async function runCommand(
  build: (frame: CommandFrame) => Command,
  { ofRunningStack = true }: { ofRunningStack?: boolean } = {},
): Promise<void> {
  const interrupt = new AbortController()
  const onSignal = () => (interrupt.signal.aborted ? process.exit(130) : interrupt.abort())
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1)) // … | head
  const command = build(interrupt)
  if (ofRunningStack)
    command.hook('preAction', () => {
      const contradiction = adoptRunningSettings()
      if (contradiction) say(contradiction)
    })
  for (const each of command.commands)
    each.showHelpAfterError(`(\`${command.name()} ${each.name()} --help\` shows the options and examples)`)
  try {
    await command.parseAsync(process.argv)
  } catch (error) {
    process.exitCode = report(error, {
      interrupted: interrupt.signal.aborted,
      trace: command.opts<CommonOptions>().trace,
    })
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onSignal)
  }
}

function report(error: unknown, { interrupted, trace }: { interrupted: boolean; trace?: boolean }): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // It has spoken already
  if (interrupted) return 130
  const { sentence, exitCode } = explainFailure(error)
  say(sentence)
  if (sentence.includes('`npm start`')) sayRunningElsewhere()
  if (trace && error instanceof Error) process.stderr.write(printableLines(`${stackOf(error)}\n${causesOf(error)}`))
  return exitCode
}

function sayRunningElsewhere(): void {
  const [folder] = runningElsewhere(dataDirOf())
  if (folder !== undefined) say(`A stack of this checkout runs on another data folder: TALLY_DATA_DIR=${folder}`)
}

const causesOf = (error: Error): string =>
  error.cause instanceof Error ? `caused by ${stackOf(error.cause)}\n${causesOf(error.cause)}` : ''

/** A result for machines, one line; bigint becomes a string, and characters that a terminal would obey become escapes. */
export const printJson = (value: unknown): void =>
  void process.stdout.write(
    `${safeJson(JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item)))}\n`,
  )

/** A table of its own on standard output. */
export const printTable = (head: readonly string[], rows: readonly (readonly Cell[])[]): void =>
  print(tableLines({ head, rows }, terminalWidth()))
