import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { insertSpans, moveLedger, readPositions } from '../../runtime/tables/ledger.ts'
import type { NewSpan } from '../../runtime/tables/ledger.ts'
import { lastPassOver, noteSkipped } from '../../runtime/tables/skipped-table.ts'
import type { Group } from '../groups.ts'
import { inGroupSchema } from './in-group-schema.ts'

/** Offsets `[from, to)` of a partition; topic without namespace. */
export interface Offsets {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** Who skips the offsets, and why. */
export interface SkippedBy {
  readonly actor: string
  readonly why: string
}

/** `orders/3:1200-2399`, both ends included. @throws TallyError USAGE */
export function parseOffsets(text: string): Offsets {
  const [, topic, partition, first, last = first] = /^([\w.-]+)\/(\d{1,4}):(\d{1,15})(?:-(\d{1,15}))?$/.exec(text) ?? []
  if (topic === undefined || Number(last) < Number(first))
    throw new TallyError('USAGE', `"${text}" names no offsets of a partition, as in orders/3:1200-2399`)
  return { topic, partition: Number(partition), from: Number(first), to: Number(last) + 1 }
}

/**
 * The offsets that a skip would pass now, starting at the lane's position, which must be among the requested offsets.
 * @param end end of the partition on the broker; offsets beyond it cannot be skipped
 * @throws TallyError USAGE, PRECONDITION_FAILED
 */
export const planSkip = (pool: Pool, group: Group, asked: Offsets, end: number | undefined): Promise<Offsets> =>
  inGroupSchema(pool, group, async (tx) => (await findSkip(tx, group, asked, end)).offsets)

/**
 * Moves a lane past offsets without reading them, and records the skip. Takes the lane from its owner: a batch in
 * progress takes effect either before the skip or not at all. The owner claims the lane again within seconds and
 * resumes after the skipped offsets.
 * @returns the offsets passed
 * @throws TallyError USAGE, PRECONDITION_FAILED
 */
export const skipOffsets = (
  pool: Pool,
  group: Group,
  asked: Offsets,
  end: number | undefined,
  by: SkippedBy,
): Promise<Offsets> => inGroupSchema(pool, group, (tx) => skipWithin(tx, group, asked, end, by))

/** The same in the caller's transaction, in the group's schema. */
export async function skipWithin(
  tx: Tx,
  group: Pick<Group, 'name' | 'topics'>,
  asked: Offsets,
  end: number | undefined,
  { actor, why }: SkippedBy,
): Promise<Offsets> {
  const own = { lane: asked.partition, epoch: await raiseEpoch(tx, asked.partition, `skip by ${actor}`) }
  const { offsets, span } = await findSkip(tx, group, asked, end)
  const { topic, from, to } = offsets
  await insertSpans(tx, own, [span])
  await moveLedger(tx, [{ own, topic, from, to, taken: 0, duplicates: 0, ignored: 0, parked: 0, holes: to - from }])
  await noteSkipped(tx, own, { ...offsets, actor, why })
  return offsets
}

async function findSkip(
  tx: Tx,
  group: Pick<Group, 'name' | 'topics'>,
  { topic, partition, from, to }: Offsets,
  end: number | undefined,
): Promise<{ offsets: Offsets; span: NewSpan }> {
  const place = `${topic}/${partition}`
  if (!group.topics.has(topic))
    throw new TallyError('USAGE', `${group.name} does not read ${topic}: it reads ${[...group.topics].join(', ')}`)
  const refused = (why: string) => new TallyError('PRECONDITION_FAILED', `${place}: ${why}`)
  if (end === undefined) throw refused('the broker has no such partition')
  if (to > end) throw refused(`ends at offset ${end}; what is yet to come cannot be skipped`)
  const [span] = await readPositions(tx, partition, [topic])
  if (!span) throw refused(`${group.name} has not read it yet, so it is not held up there`)
  const { offset, again } = span.position
  if (again) throw refused(`is being read again for replay ${again.replay}: cancel the replay first`)
  if (offset >= to) {
    const by = await lastPassOver(tx, { topic, partition, from, to })
    throw refused(`${group.name} has passed these offsets already: it stands at ${offset}${by ? `; ${by}` : ''}`)
  }
  if (offset < from) throw refused(`${group.name} stands at offset ${offset} and has not reached ${from} yet`)
  return { offsets: { topic, partition, from: offset, to }, span }
}
