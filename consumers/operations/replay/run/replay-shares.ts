import { prepared } from '../../../../infra/postgres/transaction.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'

const shares = prepared<{ replay: number; share: number }>(
  'replay_shares',
  `select replay, sum(next_offset - from_offset)::float8 / sum(to_offset - from_offset) as share
   from replay_partition where replay = any($1::bigint[]) group by replay
   having sum(to_offset - from_offset) > 0`,
)

/** Processed shares of the offsets of these replays, 0 to 1; none for a replay without offsets. */
export const readShares = async (tx: Tx, replays: readonly number[]): Promise<Map<number, number>> =>
  new Map((await shares(tx, replays)).map(({ replay, share }) => [replay, share]))
