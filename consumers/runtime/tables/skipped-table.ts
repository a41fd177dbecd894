import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Ownership } from '../model.ts'

/**
 * Why records that a lane had not read are gone.
 *
 * - deleted    by retention or by an operator
 * - recreated  the topic was deleted and created again: its offsets denote other events
 * - truncated  the partition ends before the lane's position, as after a restore of the broker from a backup
 */
export type LossCause = 'deleted' | 'recreated' | 'truncated'

/** Offsets `[from, to)` of a partition that a lane passed at an operator's request. */
export interface SkippedOffsets {
  readonly topic: string
  readonly partition: number
  /** First of them, where the lane stood. */
  readonly from: number
  /** The same as `from` if it is unknown how many are lost. */
  readonly to: number
  /** Absent if the records were there and an operator skipped them. */
  readonly cause?: LossCause
  /** Where the lane went on, if offsets begin anew there; otherwise it went on at `to`. */
  readonly resumeAt?: number
  readonly actor: string
  readonly why: string
}

const note = prepared(
  'skipped_note',
  `insert into skipped (topic, partition, epoch, first_offset, next_offset, actor, why, cause, resume_at)
   values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, 'skipped'), $9)`,
)

/** Records a skip or an accepted loss. Call it in the transaction that moves the ledger. */
export const noteSkipped = (
  tx: Tx,
  { epoch }: Ownership,
  { topic, partition, from, to, cause, resumeAt, actor, why }: SkippedOffsets,
): Promise<unknown> => note(tx, topic, partition, epoch, from, to, actor, why, cause ?? null, resumeAt ?? null)

type Row = Omit<SkippedOffsets, 'cause' | 'resumeAt'> & {
  epoch: number
  cause: LossCause | 'skipped'
  resumeAt: number | null
  at: Date
}

/** Where a lane's position was set to offsets that begin anew: from this epoch on the ledger starts there. */
export interface NewBeginning {
  readonly epoch: number
  readonly resumeAt: number
}

/** All skips and accepted losses of a group, oldest first, and by place (`orders/3`) those after which offsets begin anew. */
export interface Skips {
  readonly skipped: readonly (SkippedOffsets & { readonly at: Date })[]
  readonly beginnings: ReadonlyMap<string, readonly NewBeginning[]>
}

/** @param schema quoted */
export async function readSkips(db: Pool | Tx, schema: string): Promise<Skips> {
  const { rows } = await db.query<Row>(
    `select topic, partition, epoch, first_offset as "from", next_offset as "to", cause, resume_at as "resumeAt", actor, why, at
     from ${schema}.skipped order by at`,
  )
  const begun = rows.flatMap(({ topic, partition, epoch, resumeAt }) =>
    resumeAt === null ? [] : [{ place: `${topic}/${partition}`, epoch, resumeAt }],
  )
  return {
    skipped: rows.map(({ epoch: _epoch, cause, resumeAt, ...skipped }) => ({
      ...skipped,
      ...(cause === 'skipped' ? {} : { cause }),
      ...(resumeAt === null ? {} : { resumeAt }),
    })),
    beginnings: Map.groupBy(begun, ({ place }) => place),
  }
}

const lastOver = prepared<{ actor: string; why: string; at: Date; cause: LossCause | 'skipped' }>(
  'skipped_last_over',
  `select actor, why, at, cause from skipped
   where topic = $1 and partition = $2 and first_offset < $4 and greatest(next_offset, first_offset + 1) > $3
   order by at desc limit 1`,
)

/** The last act that had a lane pass any of these offsets `[from, to)`, in words; undefined if there is none. */
export async function lastPassOver(
  tx: Tx,
  { topic, partition, from, to }: Pick<SkippedOffsets, 'topic' | 'partition' | 'from' | 'to'>,
): Promise<string | undefined> {
  const [last] = await lastOver(tx, topic, partition, from, to)
  if (!last) return undefined
  const did = last.cause === 'skipped' ? 'skipped them' : 'accepted their loss'
  return `${last.actor} ${did} at ${last.at.toISOString()}: ${last.why}`
}
