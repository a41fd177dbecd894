import type { Command } from 'commander'
import { consumerFolders } from '../../consumers/runtime/load-consumer.ts'
import { environmentWith, loadConfig } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { loadStackConfig, secureNewDataDir } from '../../infra/stack/supervisor/data-dir.ts'
import { integer } from '../cli/arguments.ts'

export interface NewStackOptions {
  brokers?: number
  secure?: boolean
}

export const withStackOptions = (command: Command): Command =>
  command
    .option(
      '--brokers <n>',
      'embedded Kafka brokers, 1 to 5; fixed once the data folder is created (default: TALLY_BROKERS, or 1)',
      integer(1, 5),
    )
    .option(
      '--secure',
      'TLS, logins and rights at Kafka, PostgreSQL and the orders API; fixed once the data folder is created',
    )

/**
 * The configuration of a stack, whose data folder is made if it does not exist.
 * @throws TallyError USAGE if the data folder was made with another number of brokers, or without security
 */
export async function stackConfig({ brokers, secure = false }: NewStackOptions): Promise<Config> {
  const env = brokers === undefined ? undefined : environmentWith({ TALLY_BROKERS: String(brokers) })
  const { dataDir } = loadConfig(env)
  await secureNewDataDir(dataDir, { secure, principals: ['orders-api', ...consumerFolders()] })
  return loadStackConfig(env)
}
