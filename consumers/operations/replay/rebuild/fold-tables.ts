import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import { IdSet, packIds } from './id-set.ts'

/** The fold position of a range; topic without namespace. */
export interface FoldPosition {
  readonly topic: string
  readonly partition: number
  readonly next: number
}

const begin = prepared(
  'fold_begin',
  `insert into fold_position (topic, partition, next_offset) select * from unnest($1::text[], $2::int[], $3::bigint[])
   on conflict do nothing`,
)

/** Existing positions are kept. */
export const beginPositions = (tx: Tx, positions: readonly FoldPosition[]): Promise<unknown> =>
  begin(tx, ...columns(positions))

const read = prepared<FoldPosition>('fold_positions', 'select topic, partition, next_offset as next from fold_position')

export const readFolded = (tx: Tx): Promise<FoldPosition[]> => read(tx)

const move = prepared(
  'fold_move',
  `update fold_position set next_offset = next from unnest($1::text[], $2::int[], $3::bigint[]) as moved (topic, partition, next)
   where fold_position.topic = moved.topic and fold_position.partition = moved.partition`,
)

export const moveFolded = (tx: Tx, positions: readonly FoldPosition[]): Promise<unknown> =>
  move(tx, ...columns(positions))

const seen = prepared<{ ids: Buffer }>('fold_seen', 'select ids from fold_seen where partition = $1')

/** Ids of the folded events of a lane. */
export async function readSeen(pool: Pool, lane: number): Promise<IdSet> {
  const set = new IdSet()
  for (const { ids } of await seen(pool, lane)) set.addPacked(ids)
  return set
}

const note = prepared('fold_note_seen', 'insert into fold_seen (partition, ids) values ($1, $2)')

export async function noteSeen(tx: Tx, lane: number, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await note(tx, lane, packIds(ids))
}

const columns = (positions: readonly FoldPosition[]): unknown[] => [
  positions.map(({ topic }) => topic),
  positions.map(({ partition }) => partition),
  positions.map(({ next }) => next),
]
