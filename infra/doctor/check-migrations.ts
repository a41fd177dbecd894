import { readdirSync } from 'node:fs'
import type { Pool } from '../postgres/pool.ts'
import type { Finding } from './finding.ts'

/** A database schema and the folders of SQL that make it up; their names as for `migrate`. */
export interface Migrated {
  readonly schema: string
  readonly folders: readonly { readonly name: string; readonly path: string }[]
}

const filesIn = (path: string): string[] =>
  readdirSync(path)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(0, -'.sql'.length))
    .sort()

/** Compares the files of this code with those the database has applied. */
export async function checkMigrations(pool: Pool, migrated: readonly Migrated[]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { schema, folders } of migrated) {
    const [pending, ahead]: [string[], string[]] = [[], []]
    for (const { name, path } of folders) {
      const files = filesIn(path)
      const applied = await appliedIn(pool, `"${schema}".migration_${name}`)
      pending.push(...files.filter((file) => !applied.has(file)))
      ahead.push(...[...applied].filter((file) => !files.includes(file)))
    }
    if (pending.length > 0)
      findings.push({
        area: 'migrations',
        problem: `Schema ${schema} lacks ${pending.length === 1 ? 'migration' : 'migrations'} ${pending.join(', ')}`,
        cure: 'Deploy: `npm run deploy -- database`',
        blocking: true,
      })
    if (ahead.length > 0)
      findings.push({
        area: 'migrations',
        problem: `Schema ${schema} has ${ahead.join(', ')}, unknown to this code: a newer version was deployed`,
        cure: 'Run that version of the code',
      })
  }
  return findings
}

async function appliedIn(pool: Pool, table: string): Promise<Set<string>> {
  const { rows: there } = await pool.query('select 1 where to_regclass($1) is not null', [table])
  if (there.length === 0) return new Set()
  const { rows } = await pool.query<{ name: string }>(`select name from ${table}`)
  return new Set(rows.map(({ name }) => name))
}
