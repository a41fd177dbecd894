import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Ownership } from '../model.ts'

/** Offsets `[from, to)` of a partition that a lane skipped at an operator's request. */
export interface SkippedOffsets {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly actor: string
  readonly why: string
}

const note = prepared(
  'skipped_note',
  `insert into skipped (topic, partition, epoch, first_offset, next_offset, actor, why) values ($1, $2, $3, $4, $5, $6, $7)`,
)

/** Records a skip. Call it in the transaction that moves the ledger. */
export const noteSkipped = (
  tx: Tx,
  { epoch }: Ownership,
  { topic, partition, from, to, actor, why }: SkippedOffsets,
): Promise<unknown> => note(tx, topic, partition, epoch, from, to, actor, why)

/** All skips of a group, oldest first. @param schema quoted */
export const readSkipped = async (tx: Tx, schema: string): Promise<SkippedOffsets[]> =>
  (
    await tx.query<SkippedOffsets>(
      `select topic, partition, first_offset as "from", next_offset as "to", actor, why from ${schema}.skipped order by at`,
    )
  ).rows
