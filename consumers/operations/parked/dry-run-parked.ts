import type { Config } from '../../../infra/config.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { loadConsumer } from '../../runtime/load-consumer.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { connectCodec } from '../connect-codec.ts'
import type { Chosen } from './choose-parked.ts'
import { dryRunKey } from './dry-run-key.ts'
import type { KeyDryRun } from './dry-run-key.ts'
import { selectedKeys } from '../../runtime/tables/parked-list.ts'
import { countChosen } from './parked-records.ts'

/** Keys of a group that are tried. */
export const keysAtMost = 20

export type GroupKeyDryRun = KeyDryRun & { readonly group: string }

export interface DryRunParkedOptions {
  readonly signal: AbortSignal
  /** Changes the rows of a group as they are read: what an edit would make of them. */
  asIf?(group: string, row: ParkedRow): ParkedRow
  /** Called after each key. */
  onKey?(result: GroupKeyDryRun, codec: Codec): void
}

/**
 * Tries a redrive of the selected events key by key and rolls it back. At most 20 keys of each group are tried.
 * @returns the results, how many keys are chosen, and the codec that reads the events in the results
 * @throws TallyError as `dryRunKey`; UNREACHABLE; the signal's reason
 */
export async function dryRunParked(
  config: Config,
  chosen: readonly Chosen[],
  { signal, asIf, onKey }: DryRunParkedOptions,
): Promise<{ results: GroupKeyDryRun[]; keys: number; codec: Codec }> {
  const codec = await connectCodec(config, signal)
  const results: GroupKeyDryRun[] = []
  for (const { group, selection } of chosen) {
    const { name, pool } = group
    const definition = await loadConsumer(name, config)
    const { partitions } = await currentConfig(config, pool)
    for (const { lane, key } of await selectedKeys(pool, selection, keysAtMost)) {
      signal.throwIfAborted()
      const options = {
        definition,
        pool,
        codec,
        partitions,
        ...(asIf && { asIf: (row: ParkedRow) => asIf(name, row) }),
      }
      const result = { group: name, ...(await dryRunKey(lane, key, options)) }
      onKey?.(result, codec)
      results.push(result)
    }
  }
  const keys = (await countChosen(chosen)).reduce((sum, { heads }) => sum + heads, 0)
  return { results, keys, codec }
}
