import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import packageJson from '../../../package.json' with { type: 'json' }
import { checkout } from './blocks.ts'
import { optionsIn, subcommandIn } from './npm-commands.ts'
import type { NpmCommand } from './npm-commands.ts'

const scripts: Readonly<Record<string, string>> = { ...packageJson.scripts, ci: '' }
const known = new Map<string, Promise<string>>()

const helpOf = (entry: string, ...subcommand: string[]): Promise<string> => {
  const key = [entry, ...subcommand].join(' ')
  const help =
    known.get(key) ??
    promisify(execFile)(process.execPath, [entry, ...subcommand, '--help'], { cwd: checkout }).then(
      ({ stdout }) => stdout,
    )
  known.set(key, help)
  return help
}

/** @returns a sentence for the script or each option of this command that does not exist */
export async function mistakesIn({ script, words }: NpmCommand): Promise<string[]> {
  const line = scripts[script]
  if (line === undefined) return [`package.json has no script "${script}"`]
  const options = optionsIn(words)
  if (options.length === 0) return []
  const [, entry] = /^node (\S+\.ts)$/.exec(line) ?? []
  if (entry === undefined) return [] // Passed on to another program
  const subcommand = subcommandIn(words)
  const helps = await Promise.all([helpOf(entry), ...(subcommand ? [helpOf(entry, subcommand)] : [])])
  const offered = new Set(helps.flatMap((help) => help.match(/--[a-z][a-z-]*/g) ?? []))
  return options.filter((option) => !offered.has(option)).map((option) => `npm run ${script} has no option ${option}`)
}
