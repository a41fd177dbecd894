import { TallyError } from '../../../../infra/errors.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { prepared } from '../../../../infra/postgres/transaction.ts'
import type { NewSpan } from '../../../runtime/tables/ledger.ts'
import { raiseEpoch } from '../../../../producers/outbox/lane-table.ts'
import { insertSpans, readPositions } from '../../../runtime/tables/ledger.ts'
import type { ReplayPartition } from '../mode.ts'

const remember = prepared(
  'replay_before',
  `update replay_partition p set before = coalesce(p.before, asked.before)
   from unnest($2::text[], $3::bigint[]) as asked (topic, before)
   where p.replay = $1 and p.partition = $4 and p.topic = asked.topic`,
)

/**
 * Takes a lane from its owner. The next owner receives these ranges again, each from its `next`, and then resumes at the lane's
 * present position. One transaction: no other owner can claim the lane in between.
 * @throws TallyError PRECONDITION_FAILED if the lane has not read so far yet, or takes offsets again for another replay
 */
export async function moveBack(
  tx: Tx,
  replay: number,
  lane: number,
  ranges: readonly ReplayPartition[],
): Promise<void> {
  const epoch = await raiseEpoch(tx, lane, `replay ${replay}`)
  const topics = ranges.map(({ topic }) => topic)
  const standing = new Map((await readPositions(tx, lane, topics)).map((span) => [span.topic, span]))
  const spans = ranges.flatMap((range): NewSpan[] => {
    const place = `${range.topic}/${lane}`
    const { topicId = '', position } = standing.get(range.topic) ?? {}
    if (position?.again?.replay === replay) return [] // A killed runner had begun this; the lane has continued
    if (position?.again)
      throw new TallyError(
        'PRECONDITION_FAILED',
        `${place} is still being taken again for replay ${position.again.replay}`,
      )
    if (position === undefined || position.offset < range.to)
      throw new TallyError(
        'PRECONDITION_FAILED',
        `${place}: the group has not read up to ${range.to} yet, so there is nothing to redeliver`,
      )
    const again = { replay, until: range.to, resumeAt: position.offset }
    return [{ topic: range.topic, topicId, position: { offset: range.next, again } }]
  })
  await insertSpans(tx, { lane, epoch }, spans)
  const moved = spans.map(({ topic }) => topic)
  await remember(
    tx,
    replay,
    moved,
    spans.map(({ position }) => position.again?.resumeAt),
    lane,
  )
}

/**
 * Makes a lane resume at its position before the replay, if it has not reached it by itself.
 * @returns the number of topics that had not finished
 */
export async function putBack(tx: Tx, replay: number, lane: number, topics: readonly string[]): Promise<number> {
  const epoch = await raiseEpoch(tx, lane, `replay ${replay}`)
  const standing = await readPositions(tx, lane, topics)
  const spans = standing.flatMap(({ topic, topicId, position: { again } }): NewSpan[] =>
    again?.replay === replay ? [{ topic, topicId, position: { offset: again.resumeAt } }] : [],
  )
  await insertSpans(tx, { lane, epoch }, spans)
  return spans.length
}
