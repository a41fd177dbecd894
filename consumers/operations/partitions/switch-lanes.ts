import { firstBeyond, readMisrouted } from '../../runtime/tables/parked-figures.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { addLanes, lockEveryLane, moveLanes } from '../../../producers/outbox/lane-generations.ts'
import { undrained } from './undrained.ts'
import type { TopicEnds } from './undrained.ts'

/** A consumer's lanes and the generations they move between. */
export interface LaneSwitch {
  readonly from: Generation
  readonly to: Generation
  /** Of the topics of `from` the group reads. */
  readonly ends: TopicEnds
}

/** Numbers of rows moved to another lane, by table. */
export type MovedRows = Readonly<Record<(typeof laneTables)[number], number>>

/** Tables with rows that wait in the lane of their key. The outbox must be empty: its numbers belong to the lane. */
const laneTables = ['parked', 'timer', 'call'] as const

/**
 * Moves a consumer to the next generation of the topics within the transaction: fences the owners of the old lanes, and
 * moves waiting rows to the lane that their key has with the new partition count. Lanes keep their sequence numbers, so
 * that later events follow the earlier ones without a gap.
 * @param tx sees the consumer's schema
 * @throws TallyError PRECONDITION_FAILED if work of the old generation is left; the transaction must be rolled back
 */
export async function switchLanes(tx: Tx, { from, to, ends }: LaneSwitch): Promise<MovedRows> {
  await fenceLanes(tx, to)
  const left = await undrained(tx, ends)
  if (left) throw new TallyError('PRECONDITION_FAILED', left)
  await assertNoneGetsAhead(tx, to.partitions)
  const moved = { parked: 0, timer: 0, call: 0 }
  for (const table of laneTables) moved[table] = await moveKeys(tx, table, from.partitions, to.partitions)
  await assertNoneIsLeft(tx, to.partitions)
  return moved
}

/** Waits for transactions in progress, creates the new lanes and takes all lanes from their owners. */
async function fenceLanes(tx: Tx, { number, partitions }: Generation): Promise<void> {
  await addLanes(tx, partitions)
  await lockEveryLane(tx)
  await moveLanes(tx, number)
}

/**
 * A parked record from a wrong partition precedes no other event in its lane. In its key's new lane it would block the
 * key's events until an operator acts.
 */
async function assertNoneGetsAhead(tx: Tx, after: number): Promise<void> {
  const ahead = (await readMisrouted(tx)).find(({ lane, key }) => lane === laneOf(key, after))
  if (ahead)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `parked event ${ahead.id} lies in a wrong lane: publish it again or drop it first`,
    )
}

/** With fewer lanes, the last ones no longer have an owner. */
async function assertNoneIsLeft(tx: Tx, partitions: number): Promise<void> {
  const left = await firstBeyond(tx, partitions)
  if (left)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `parked event ${left.id} waits in lane ${left.lane}, which ends: drop it first`,
    )
}

/**
 * Moves rows to the lane of their key. A row that was not in its key's lane stays where it is: an unreadable record, or
 * one from a wrong partition, waits for an operator and blocks no other event.
 * @returns the number of rows moved
 */
async function moveKeys(tx: Tx, table: (typeof laneTables)[number], before: number, after: number): Promise<number> {
  const { rows } = await tx.query<{ lane: number; key: string }>(`select distinct lane, key from ${table}`)
  const moving = rows.filter(({ lane, key }) => lane === laneOf(key, before) && lane !== laneOf(key, after))
  const { rowCount } = await tx.query(
    `update ${table} set lane = moved.after from unnest($1::text[], $2::int[], $3::int[]) as moved (key, before, after)
     where ${table}.key = moved.key and ${table}.lane = moved.before`,
    [moving.map(({ key }) => key), moving.map(({ lane }) => lane), moving.map(({ key }) => laneOf(key, after))],
  )
  return rowCount ?? 0
}
