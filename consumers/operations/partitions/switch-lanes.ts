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

/** Rows that went to another lane, by table. */
export type MovedRows = Readonly<Record<(typeof laneTables)[number], number>>

/** What waits for a key in its lane. Not the outbox: its numbers belong to the lane, so it must be empty. */
const laneTables = ['parked', 'timer', 'call'] as const

/**
 * Moves a consumer to the next generation of the topics, within the transaction: owners of the old lanes are fenced, what
 * waits for a key is in the lane the key has under the new count. Lanes
 * keep their sequence numbers: what they publish from now on follows without a gap what they published before.
 * @param tx sees the consumer's schema
 * @throws TallyError PRECONDITION_FAILED if something of the old generation is left to do: nothing may be committed then
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

/** Creates the new lanes and takes all lanes from their owners, after the transactions that are under way. */
async function fenceLanes(tx: Tx, { number, partitions }: Generation): Promise<void> {
  await addLanes(tx, partitions)
  await lockEveryLane(tx)
  await moveLanes(tx, number)
}

/**
 * A record that lay in a wrong partition is ahead of nothing. In its key's new lane it would be ahead of the key's own events,
 * and wait for an operator.
 */
async function assertNoneGetsAhead(tx: Tx, after: number): Promise<void> {
  const ahead = (await readMisrouted(tx)).find(({ lane, key }) => lane === laneOf(key, after))
  if (ahead)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `parked event ${ahead.id} lies in a wrong lane: publish it again or drop it first`,
    )
}

/** Of fewer lanes the last have no owner any more. */
async function assertNoneIsLeft(tx: Tx, partitions: number): Promise<void> {
  const left = await firstBeyond(tx, partitions)
  if (left)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `parked event ${left.id} waits in lane ${left.lane}, which ends: drop it first`,
    )
}

/**
 * A key that is not in the lane of its name stays where it is: an unreadable record, or one that lay in a wrong partition,
 * waits for an operator and is ahead of nothing.
 * @returns how many rows have another lane now
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
