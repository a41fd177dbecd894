import { printableLines } from '../../infra/text/printable.ts'

/** Columns of a line where standard output is not a terminal. */
const defaultWidth = 80
const leastWidth = 40

/** How many columns a line of standard output may take: COLUMNS, else the terminal's, else 80. */
export function terminalWidth(): number {
  const asked = Number(process.env['COLUMNS'])
  return Math.max(leastWidth, Number.isInteger(asked) && asked > 0 ? asked : (process.stdout.columns ?? defaultWidth))
}

/** A message for the operator, on standard error. Only a terminal gets it wrapped: in a log, a message is one line. */
export function say(text: string): void {
  const safe = printableLines(text)
  process.stderr.write(`${process.stderr.isTTY ? wrap(safe, terminalWidth()).join('\n') : safe}\n`)
}

/** Writes lines to standard output, without what would control a terminal or reorder what it shows. */
export const print = (lines: readonly string[]): void =>
  void process.stdout.write(`${printableLines(lines.join('\n'))}\n`)

/** A figure stays with its unit. */
const wordBreak = / +(?!(?:ms|s|min|h|d|B|kB|MB|GB|TB|%)(?![\w]))/

/**
 * Lines of at most `width` characters, broken at spaces; a continuation keeps the indent of its line and adds two.
 * Only a word that is longer than a whole line is broken.
 */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    if (line.length <= width) return [line.trimEnd()]
    const indent = /^ */.exec(line)![0].slice(0, width / 2)
    const hanging = indent === '' ? '' : `${indent}  `
    const lines: string[] = []
    let current = indent
    for (let word of line.trim().split(wordBreak)) {
      const fits = current.trim() === '' ? current + word : `${current} ${word}`
      if (fits.length <= width) {
        current = fits
        continue
      }
      if (current.trim() !== '') lines.push(current)
      const room = width - hanging.length
      for (; word.length > room; word = word.slice(room)) lines.push(hanging + word.slice(0, room))
      current = hanging + word
    }
    return [...lines, current]
  })
}

const continued = ' \\'
/** An option with its value, or any other argument; quotes hold together what is between them. */
const argument = /(?:--?[a-z][a-z-]* (?!-))?(?:'[^']*'|"[^"]*"|[^\s'"])+/g

/** A command line that can be copied: continued with `\` where it does not fit, never inside quotes. */
export function wrapCommand(command: string, width: number, indent = ''): string[] {
  const lines: string[] = []
  let current = ''
  for (const [word] of command.matchAll(argument)) {
    if (current !== '' && indent.length + current.length + word.length + ' '.length + continued.length > width) {
      lines.push(indent + current + continued)
      current = `  ${word}`
    } else current = current === '' ? word : `${current} ${word}`
  }
  return [...lines, `${indent}${current}`]
}
