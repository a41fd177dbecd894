import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { configuresConsumer, runsConsumer } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import type { ConsumerDefinition } from './handler.ts'

const home = join(import.meta.dirname, '..')

/** Names of all consumers that run: those that forward events do if a setting says where to. */
export const consumerFolders = (): string[] => allConsumerFolders().filter((name) => runsConsumer(name))

/** The same by a configuration, which may be that of another process. */
export const consumersOf = (config: Config): string[] =>
  allConsumerFolders().filter((name) => configuresConsumer(name, config))

/** The folders with a `consumer.ts`. */
export const allConsumerFolders = (): string[] =>
  readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(home, entry.name, 'consumer.ts')))
    .map((entry) => entry.name)
    .sort()

/** @throws TallyError USAGE if there is no such folder */
export async function loadConsumer(folder: string, config: Config): Promise<ConsumerDefinition<unknown, unknown>> {
  if (!allConsumerFolders().includes(folder)) {
    throw new TallyError('USAGE', `No consumer "${folder}": there are ${consumerFolders().join(', ')}`)
  }
  const module = (await import(join(home, folder, 'consumer.ts'))) as {
    default: (config: Config) => ConsumerDefinition<unknown, unknown>
  }
  const definition = module.default(config)
  if (definition.group !== folder) {
    throw new TallyError(
      'INVARIANT',
      `consumers/${folder} names its group "${definition.group}": the group must have the name of the folder`,
    )
  }
  return definition
}

/** Database schema of a group or of the orders API. */
export const schemaName = (namespace: string, group: string): string => `${namespace}${group.replaceAll('-', '_')}`

/** Folders of SQL that make up a consumer's schema, in order. */
export const consumerMigrations = (folder: string): { name: string; path: string }[] => [
  { name: 'outbox', path: join(home, '../producers/outbox/sql') },
  { name: 'runtime', path: join(home, 'runtime/sql') },
  ...(existsSync(join(home, folder, 'sql')) ? [{ name: 'own', path: join(home, folder, 'sql') }] : []),
]

/** Hash of a consumer's own code: its folder without tests. */
export function consumerVersion(folder: string): string {
  const hash = createHash('sha256')
  const files = readdirSync(join(home, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map(({ parentPath, name }) => join(parentPath, name))
  for (const file of files.sort()) hash.update(file.slice(home.length)).update(readFileSync(file))
  return hash.digest('hex').slice(0, 16)
}
