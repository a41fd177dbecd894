import type { Table } from './table.ts'
import { tableLines } from './table.ts'
import { print, terminalWidth, wrap, wrapCommand } from './terminal.ts'

/** What a command has found, in the order in which it is read. */
export interface Report {
  /** One sentence that tells the result. */
  readonly verdict: string
  /** Tables, and lines of text; what is undefined or empty is left out. */
  readonly parts?: readonly (Table | Shell | string | undefined)[]
  /** Commands to run next. */
  readonly next?: string | readonly string[]
}

/** A command line that is shown for copying. */
export interface Shell {
  readonly command: string
}

/** A report as lines of at most `width` characters. Only a single word of a command can be longer. */
export function reportLines({ verdict, parts = [], next = [] }: Report, width: number): string[] {
  const blocks = parts.flatMap((part) => {
    if (part === undefined || part === '') return []
    if (typeof part === 'string') return [wrap(part, width)]
    if ('command' in part) return [wrapCommand(part.command, width, '  ')]
    return part.rows.length > 0 ? [tableLines(part, width)] : []
  })
  return [wrap(verdict, width), ...blocks, nextLines([next].flat(), width)]
    .filter((block) => block.length > 0)
    .flatMap((block, at) => (at === 0 ? block : ['', ...block]))
}

function nextLines(commands: readonly string[], width: number): string[] {
  const [only = ''] = commands
  if (commands.length === 1 && `Next: ${only}`.length <= width) return [`Next: ${only}`]
  return commands.length === 0 ? [] : ['Next:', ...commands.flatMap((command) => wrapCommand(command, width, '  '))]
}

/** Writes a report to standard output. */
export const printReport = (report: Report, width: number = terminalWidth()): void => print(reportLines(report, width))
