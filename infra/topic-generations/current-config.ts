import type { Config } from '../config.ts'
import { createPool } from '../postgres/pool.ts'
import type { Tx } from '../postgres/transaction.ts'
import { silentLogger } from '../logger.ts'
import { readCurrent } from './generation-table.ts'
import type { Generation } from './generation-table.ts'

/** The configuration with the number and partition count of a generation. */
export const withGeneration = (config: Config, generation: Generation | undefined): Config =>
  generation ? { ...config, generation: generation.number, partitions: generation.partitions } : config

/**
 * The configuration with the current generation and partition count from the database, which override the settings.
 * @param tx an existing connection to the database, if any
 * @throws errors of pg if the database does not answer
 */
export async function currentConfig(config: Config, tx?: Tx): Promise<Config> {
  if (tx) return withGeneration(config, await readCurrent(tx, config.namespace))
  const pool = createPool({ url: config.postgres.url, name: 'tally-generation', max: 1, log: silentLogger })
  try {
    return await currentConfig(config, pool)
  } finally {
    await pool.end()
  }
}
