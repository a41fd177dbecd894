import type { Config } from '../config.ts'
import { createPool } from '../postgres/pool.ts'
import type { Tx } from '../postgres/transaction.ts'
import { silentLogger } from '../logger.ts'
import { readCurrent } from './generation-table.ts'
import type { Generation } from './generation-table.ts'

/** The configuration with what a generation of the topics has. */
export const withGeneration = (config: Config, generation: Generation | undefined): Config =>
  generation ? { ...config, generation: generation.number, partitions: generation.partitions } : config

/**
 * The configuration with the generation and the partition count the database says, which nobody can forget to set.
 * @param tx a connection to the database, where there is one already
 * @throws errors of pg when the database does not answer
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
