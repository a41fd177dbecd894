import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from '@jest/globals'

const root = resolve(import.meta.dirname, '../../..')

/** The files in which the SQL of each table is written. Files of one of them may also read the other tables. */
const homes: Readonly<Record<string, RegExp>> = {
  lane: /^producers\/outbox\/lane-\w+\.ts$/,
  outbox_batch: /^producers\/outbox\/outbox-\w+\.ts$/,
  withdrawn: /^producers\/outbox\/lane-generations\.ts$/,
  ledger: /^consumers\/runtime\/tables\/ledger(-account)?\.ts$/,
  inbox: /^consumers\/runtime\/tables\/inbox\/\w+\.ts$/,
  call: /^consumers\/runtime\/tables\/call-table\.ts$/,
  timer: /^consumers\/runtime\/tables\/timer-table\.ts$/,
  pause: /^consumers\/runtime\/tables\/pause-table\.ts$/,
  pace: /^consumers\/runtime\/tables\/replicas\/pace-table\.ts$/,
  replica: /^consumers\/runtime\/tables\/replicas\/replica-table\.ts$/,
  lane_state: /^consumers\/runtime\/tables\/lane-state\.ts$/,
  parked: /^consumers\/runtime\/tables\/(parked-\w+|retry-table)\.ts$/,
  parked_audit: /^consumers\/runtime\/tables\/(audit|audited-values|retry-table|retention\/retirements)\.ts$/,
  retention: /^consumers\/runtime\/tables\/retention\/sweep\.ts$/,
  retired: /^consumers\/runtime\/tables\/(retention\/retirements|audit)\.ts$/,
}

/**
 * Files that read tables although they are no table's own, and why. None of them writes. Not seen here: `switch-lanes.ts`
 * moves rows of `parked`, `timer` and `call` with one text, into which it fills the table's name.
 */
const exceptions: readonly (readonly [file: RegExp, reason: string])[] = [
  [/^consumers\/operations\/lanes\/lane-row\.ts$/, 'one statement shows every table of a lane at one moment'],
  [/^consumers\/operations\/replicas\/lane-progress\.ts$/, 'owner, claim and positions of a lane at one moment'],
  [/^consumers\/runtime\/tables\/known-places\.ts$/, 'asks inbox and audit whether either knows a record'],
  [/^producers\/import\/await-deliveries\.ts$/, 'waits for a consumer; producers import none'],
  [/^scripts\/verify\/settle\.ts$/, 'one statement shows the work left in all services at one moment'],
]

/** Tests, benchmarks and the simulation state by themselves what the tables must hold. */
const apart = /(^|\/)(testing|node_modules)\/|\.test\.ts$|^scripts\/(bench|simulate|mutate)\//

const schema = String.raw`(?:\$\{[^}]*\}\.|"[^"]*"\.)?`
const statement = (verbs: string) =>
  new RegExp(String.raw`\b(?:${verbs})\s+${schema}(${Object.keys(homes).join('|')})\b`, 'g')
const reads = statement('from|join')
const writes = statement('insert into|update|delete from|lock table|alter table|truncate')

const sources = globSync('{consumers,producers,scripts,infra,schemas}/**/*.ts', { cwd: root })
  .filter((path) => !apart.test(path))
  .map((path) => ({ path, code: readFileSync(resolve(root, path), 'utf8').replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '') }))

const tablesIn = (code: string, pattern: RegExp): string[] => [...code.matchAll(pattern)].map(([, table = '']) => table)

test('a table is written to in its own files only', () => {
  const elsewhere = sources.flatMap(({ path, code }) =>
    tablesIn(code, writes).flatMap((table) => (homes[table]?.test(path) ? [] : [`${path} writes to ${table}`])),
  )
  expect(elsewhere).toEqual([])
})

test('tables are read in the files of tables only', () => {
  const allowed = [...Object.values(homes), ...exceptions.map(([file]) => file)]
  const elsewhere = sources.flatMap(({ path, code }) =>
    allowed.some((file) => file.test(path)) ? [] : tablesIn(code, reads).map((table) => `${path} reads ${table}`),
  )
  expect(elsewhere).toEqual([])
})

test('every file named here has such a statement', () => {
  const idle = [...Object.values(homes), ...exceptions.map(([file]) => file)].filter(
    (file) => !sources.some(({ path, code }) => file.test(path) && tablesIn(code, reads).length > 0),
  )
  expect(idle.map(String)).toEqual([])
})
