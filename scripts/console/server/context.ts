import type { Config } from '../../../infra/config.ts'
import type { Logger } from '../../../infra/logger.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { connectCodecIfThere } from '../../../consumers/operations/connect-codec.ts'
import { openGroups } from '../../../consumers/operations/parked/parked-groups.ts'
import type { OpenGroup } from '../../../consumers/operations/parked/parked-groups.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'

/** What the pages read from. */
export interface ConsoleContext extends AsyncDisposable {
  readonly config: Config
  /** Sees all schemas; names must be qualified. */
  readonly pool: Pool
  /** The present generation of the topics; while the database does not tell it, the last known one and the error. */
  present(): Promise<{ config: Config; error?: unknown }>
  /** The consumers that have tables. @throws TallyError NOT_DEPLOYED; errors of pg */
  groups(): Promise<OpenGroup[]>
  /** Undefined while the registry does not answer. @throws TallyError NOT_DEPLOYED */
  codec(signal: AbortSignal): Promise<Codec | undefined>
}

/** A frozen database must not keep pages waiting. */
const answerWithinMs = 8_000

export function openContext(config: Config, log: Logger): ConsoleContext {
  const pool = createPool({ url: config.postgres.url, name: 'tally-console', max: 4, answerWithinMs, log })
  const groups = openGroups(config)
  let codec: Codec | undefined
  let present = config
  return {
    config,
    pool,
    present: () =>
      currentConfig(config, pool).then(
        (found) => ({ config: (present = found) }),
        (error: unknown) => ({ config: present, error }),
      ),
    groups: () => groups.deployed(),
    async codec(signal) {
      codec ??= await connectCodecIfThere(config, signal)
      return codec
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([pool.end(), groups[Symbol.asyncDispose]()])
    },
  }
}
