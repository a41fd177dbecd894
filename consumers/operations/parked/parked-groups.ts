import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { commandLogger } from '../../../infra/kafka/command-client.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { consumerFolders, schemaName } from '../../runtime/load-consumer.ts'
import { auditExists } from '../../runtime/tables/audit.ts'

/** A consumer group with connections that see its tables. */
export interface OpenGroup {
  readonly name: string
  readonly pool: Pool
}

/** Connections to groups. Dispose it to close them. */
export interface OpenGroups extends AsyncDisposable {
  /**
   * Those of the groups that have tables now.
   * @throws TallyError NOT_DEPLOYED if none has, or if one that was named has none; errors of pg
   */
  deployed(): Promise<OpenGroup[]>
}

/**
 * Opens groups: one pool each, which connects when it is used.
 * @param names all groups if undefined
 * @throws TallyError USAGE for a group that does not exist
 */
export function openGroups(config: Config, names?: readonly string[]): OpenGroups {
  const folders = consumerFolders()
  const unknown = (names ?? []).filter((name) => !folders.includes(name))
  if (unknown.length > 0)
    throw new TallyError('USAGE', `No consumer "${unknown.join('", "')}": there are ${folders.join(', ')}`)
  const log = commandLogger('parked', config)
  const { namespace, postgres } = config
  const groups = (names ?? folders).map((name): OpenGroup => {
    const schema = schemaName(namespace, name)
    return { name, pool: createPool({ url: postgres.url, schema, name: 'tally-parked', max: 2, log }) }
  })
  return {
    async deployed() {
      const exists = await Promise.all(groups.map(({ name, pool }) => auditExists(pool, schemaName(namespace, name))))
      const deployed = groups.filter((_, index) => exists[index])
      const missing = groups.filter((_, index) => !exists[index]).map(({ name }) => name)
      if (missing.length > 0 && (names !== undefined || deployed.length === 0))
        throw new TallyError(
          'NOT_DEPLOYED',
          `${missing.join(', ')}: no tables yet. \`npm start\` or \`npm run deploy\` makes them`,
        )
      return deployed
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(groups.map(({ pool }) => pool.end()))
    },
  }
}

/**
 * Opens groups for one piece of work.
 * @param names all deployed groups if undefined
 * @throws as `openGroups` and its `deployed`
 */
export async function withParkedGroups<T>(
  config: Config,
  names: readonly string[] | undefined,
  work: (groups: readonly OpenGroup[]) => Promise<T>,
): Promise<T> {
  await using groups = openGroups(config, names)
  return await work(await groups.deployed())
}
