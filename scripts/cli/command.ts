import { Command, CommanderError } from 'commander'
import Table from 'cli-table3'
import { explainFailure } from '../../infra/explain-failure.ts'

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
 * @param examples complete command lines, shown by `--help`
 */
export function createCommand(name: string, summary: string, examples: readonly string[]): Command {
  return new Command(`npm run ${name} --`)
    .description(summary)
    .option('--json', 'results as JSON on standard output, nothing else there')
    .option('--trace', 'show stack traces of errors')
    .helpOption('-h, --help', 'show this')
    .addHelpText('after', examplesText(examples))
    .showHelpAfterError(`(\`npm run ${name} -- --help\` shows the options and examples)`)
    .exitOverride()
}

/** For the help of a subcommand: `addHelpText('after', examplesText([…]))`. */
export const examplesText = (lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`

/**
 * Runs the command that `build` makes; failures become one sentence and an exit code. Sets `process.exitCode` and lets
 * the process end by itself, so whoever leaves a connection open notices.
 */
export async function runCommand(
  build: (frame: CommandFrame) => Command,
  argv: readonly string[] = process.argv,
): Promise<void> {
  const interrupt = new AbortController()
  const onSignal = () => (interrupt.signal.aborted ? process.exit(130) : interrupt.abort())
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal)
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1)) // … | head
  const command = build(interrupt)
  for (const each of command.commands)
    each.showHelpAfterError(`(\`${command.name()} ${each.name()} --help\` shows the options and examples)`)
  try {
    await command.parseAsync(argv)
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
  process.stderr.write(`${sentence}\n`)
  if (trace && error instanceof Error) process.stderr.write(`${error.stack}\n${causesOf(error)}`)
  return exitCode
}

const causesOf = (error: Error): string =>
  error.cause instanceof Error ? `caused by ${error.cause.stack}\n${causesOf(error.cause)}` : ''

/** A line for the person at the terminal, on standard error. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** A result for machines, one line; bigint becomes a string. */
export const printJson = (value: unknown): void =>
  void process.stdout.write(`${JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item))}\n`)

/** A result for people. Numbers are set flush right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number | bigint)[])[]): void {
  const numeric = (column: number) => rows.length > 0 && rows.every((row) => typeof row[column] !== 'string')
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (numeric(column) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
    chars: plain,
  })
  const shown = (cell: string | number | bigint) => (typeof cell === 'string' ? cell : cell.toLocaleString('en'))
  table.push(...rows.map((row) => row.map(shown)))
  process.stdout.write(`${table.toString().replaceAll(/ +$/gm, '')}\n`)
}

/** No frame, a rule under the head: survives copying, grep and narrow terminals. */
const plain = {
  ...Object.fromEntries(
    ['top', 'bottom'].flatMap((side) => ['', '-mid', '-left', '-right'].map((at) => [side + at, ''])),
  ),
  ...Object.fromEntries(['left', 'left-mid', 'right', 'right-mid'].map((side) => [side, ''])),
  mid: '─',
  'mid-mid': '─',
  middle: ' ',
}
