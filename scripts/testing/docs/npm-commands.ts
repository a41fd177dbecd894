/** `npm run parked -- ls --key o-1` as script `parked` with the words `ls`, `--key` and `o-1`. */
export interface NpmCommand {
  readonly script: string
  readonly words: readonly string[]
}

/** Commands of npm that run a script of the project. */
const runs = /\bnpm (?:run (?:-s )?([\w:-]+)|(start|test|ci))\b/g

/** The commands of the project in a piece of shell. A command ends where the shell ends it. */
export function npmCommandsIn(shell: string): NpmCommand[] {
  const joined = shell.replaceAll('\\\n', ' ')
  return [...joined.matchAll(runs)].map((match) => {
    const [found, run, short] = match
    const rest = joined.slice(match.index + found.length)
    return { script: run ?? short ?? '', words: wordsOf(rest).filter((word) => word !== '--') }
  })
}

/** Words up to the end of a command: a new line, a comment, a pipe, `;`, `&`, a redirection or a closing bracket. */
function wordsOf(shell: string): string[] {
  const words: string[] = []
  for (const [, space, quoted, bare] of shell.matchAll(/( +)|("(?:\\.|[^"])*"|'[^']*')|([^\s'"]+)|\n/g)) {
    if (space !== undefined) continue
    const word = quoted?.slice(1, -1) ?? bare
    if (word === undefined || (bare !== undefined && /^[#|;&><)`]/.test(bare))) return words
    words.push(word)
    if (bare !== undefined && /[;)`]$/.test(bare)) return words
  }
  return words
}

/** Long options among the words, without their values: `--key` of `--key=o-1`. */
export const optionsIn = (words: readonly string[]): string[] =>
  words.flatMap((word) => /^--[a-z][a-z-]*/.exec(word)?.[0] ?? [])

/** The subcommand, if the first word may be one. */
export const subcommandIn = ([first = '']: readonly string[]): string | undefined =>
  /^[a-z]+$/.test(first) ? first : undefined
