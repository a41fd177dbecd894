import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')
const call = /\bprepared(?:<[^(]*>)?\(\s*'(\w+)',\s*(?:`([^`]*)`|'([^']*)')/g
const constant = /\bconst (\w+) =\s*(?:`([^`]*)`|'([^']*)')/g

/** A call that makes an expression of a column, in a text: the column itself has the same plan. */
const columnCall = /\$\{\w+\('(\w+)'\)\}/g

export interface Statement {
  readonly name: string
  readonly text: string
}

/**
 * The prepared statements that these files define, as the source states them.
 * @param globs relative to the root of the project
 * @param known values of constants that other files define, by name
 * @throws Error if a definition cannot be read: it would go unchecked
 */
export function preparedStatements(
  globs: readonly string[],
  known: Readonly<Record<string, string>> = {},
): Statement[] {
  const files = globSync([...globs], { cwd: root }).filter((path) => !path.endsWith('.test.ts'))
  return files.flatMap((path) => {
    const code = readFileSync(resolve(root, path), 'utf8')
    const values = new Map([
      ...Object.entries(known),
      ...[...code.matchAll(constant)].map(([, name = '', long, short]) => [name, long ?? short ?? ''] as const),
    ])
    const found = [...code.matchAll(call)].map(([, name = '', long, short]) => ({
      name,
      text: (long ?? short ?? '')
        .replaceAll(columnCall, '$1')
        .replaceAll(/\$\{(\w+)\}/g, (whole, value: string) => values.get(value) ?? whole),
    }))
    const calls = [...code.matchAll(/= prepared[<(]/g)].length
    const unread = found.find(({ text }) => text.includes('${'))
    if (unread || found.length < calls)
      throw new Error(`${path}: ${unread?.name ?? 'a prepared statement'} is not readable`)
    return found
  })
}
