import { lockLane } from '../../../producers/outbox/lane-table.ts'
import { TallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { inTransaction, prepared } from '../../../infra/postgres/transaction.ts'
import type { OffsetMove, Ownership } from '../model.ts'

/** One topic of a lane as the broker shows it at claim time. */
export interface TopicStart {
  readonly topic: string
  /** The broker's id of the topic, if the broker reports one. */
  readonly topicId?: string
  /** First offset the broker still has. */
  readonly low: number
  /** First offset for a group that has never read the topic; earlier ones count as ignored. @default low */
  readonly begin?: number
}

/** The newest span of a topic, which holds the lane's position. */
interface LastSpan {
  topic: string
  topic_id: string | null
  next_offset: number
  replay: number | null
  again_until: number | null
  resume_at: number | null
}

const lastSpans = prepared<LastSpan>(
  'ledger_last',
  `select distinct on (topic) topic, topic_id, next_offset, replay, again_until, resume_at from ledger
   where partition = $1 and topic = any($2::text[]) order by topic, epoch desc`,
)
const dropEmptySpans = prepared(
  'ledger_drop_empty',
  'delete from ledger where partition = $1 and topic = any($2::text[]) and first_offset = next_offset and epoch < $3',
)
const openSpans = prepared(
  'ledger_open',
  `insert into ledger (topic, partition, epoch, first_offset, next_offset, topic_id, replay, again_until, resume_at)
   select topic, $1, $2, position, position, nullif(topic_id, ''), replay, again_until, resume_at
   from unnest($3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[])
     as t (topic, position, topic_id, replay, again_until, resume_at)`,
)

const ignoreFrom = prepared(
  'ledger_ignore_from',
  `update ledger set first_offset = $4, ignored = next_offset - $4
   where topic = $1 and partition = $2 and epoch = $3 and first_offset = next_offset`,
)

/** The position at which a lane resumes in a topic. */
export interface Position {
  readonly offset: number
  /** Set during a replay: the lane processes the offsets before `until` again and then resumes at `resumeAt`. */
  readonly again?: { readonly replay: number; readonly until: number; readonly resumeAt: number }
}

/** The position at which a lane resumes after its newest span. */
function positionAfter({ next_offset: offset, replay, again_until: until, resume_at: resumeAt }: LastSpan): Position {
  if (replay === null || until === null || resumeAt === null) return { offset }
  return offset < until ? { offset, again: { replay, until, resumeAt } } : { offset: resumeAt }
}

/**
 * Opens a span per topic for a new epoch, each beginning where the last one ended. Must run after `raiseEpoch`, in a
 * transaction of its own: in the same transaction, the ledger would be read as it was before the wait for the lane's
 * row.
 * @returns positions by topic
 * @throws TallyError FENCED, LANE_STOPPED
 */
export async function openLedger(
  pool: Pool,
  own: Ownership,
  topics: readonly TopicStart[],
): Promise<Map<string, Position>> {
  return inTransaction(pool, async (tx) => {
    await lockLane(tx, own)
    const names = topics.map(({ topic }) => topic)
    const last = new Map((await lastSpans(tx, own.lane, names)).map((span) => [span.topic, span]))
    const spans = topics.map((start) => {
      const span = last.get(start.topic)
      if (span?.topic_id && start.topicId && span.topic_id !== start.topicId) {
        throw new TallyError(
          'LANE_STOPPED',
          `topic ${start.topic} was re-created since partition ${own.lane} was last read: its offsets now denote other events`,
        )
      }
      const position = span ? positionAfter(span) : { offset: start.begin ?? start.low }
      return { topic: start.topic, topicId: start.topicId ?? span?.topic_id ?? '', position }
    })
    await insertSpans(tx, own, spans)
    for (const { topic, low, begin = low } of topics)
      if (begin > low && !last.has(topic)) await ignoreFrom(tx, topic, own.lane, own.epoch, low)
    return new Map(spans.map(({ topic, position }) => [topic, position]))
  })
}

/** A span to insert. */
export interface NewSpan {
  readonly topic: string
  /** Empty if unknown. */
  readonly topicId: string
  readonly position: Position
}

/** Inserts spans of the epoch and deletes earlier empty spans. */
export async function insertSpans(tx: Tx, { lane, epoch }: Ownership, spans: readonly NewSpan[]): Promise<void> {
  const topics = spans.map(({ topic }) => topic)
  await dropEmptySpans(tx, lane, topics, epoch)
  await openSpans(
    tx,
    lane,
    epoch,
    topics,
    spans.map(({ position }) => position.offset),
    spans.map(({ topicId }) => topicId),
    spans.map(({ position }) => position.again?.replay),
    spans.map(({ position }) => position.again?.until),
    spans.map(({ position }) => position.again?.resumeAt),
  )
}

/** A lane's positions in the topics it has read, with the topics' ids (empty if unknown). */
export async function readPositions(tx: Tx, lane: number, topics: readonly string[]): Promise<NewSpan[]> {
  const spans = await lastSpans(tx, lane, topics)
  return spans.map((span) => ({ topic: span.topic, topicId: span.topic_id ?? '', position: positionAfter(span) }))
}

const move = prepared(
  'ledger_move',
  `update ledger set next_offset = until, taken = ledger.taken + move.taken, duplicates = ledger.duplicates + move.duplicates,
     ignored = ledger.ignored + move.ignored, parked = ledger.parked + move.parked, holes = ledger.holes + move.holes
   from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
     $9::bigint[], $10::bigint[]) as move (topic, lane, epoch, since, until, taken, duplicates, ignored, parked, holes)
   where ledger.topic = move.topic and partition = lane and ledger.epoch = move.epoch and next_offset = since returning 1`,
)

/** A move of a lane's position in a topic, with the outcomes of the offsets in between. */
export interface LedgerMove extends OffsetMove {
  readonly own: Ownership
  readonly taken: number
  readonly duplicates: number
  readonly parked: number
}

/**
 * Moves positions from `from` to `to`; at most one move per lane and topic.
 * @throws TallyError INVARIANT if a position is not at its `from`: claiming the lane again reads the actual one
 */
export async function moveLedger(tx: Tx, moves: readonly LedgerMove[]): Promise<void> {
  if (moves.length === 0) return
  const column = (value: (each: LedgerMove) => unknown) => moves.map(value)
  const moved = await move(
    tx,
    column(({ topic }) => topic),
    column(({ own }) => own.lane),
    column(({ own }) => own.epoch),
    column(({ from }) => from),
    column(({ to }) => to),
    column(({ taken }) => taken),
    column(({ duplicates }) => duplicates),
    column(({ ignored }) => ignored),
    column(({ parked }) => parked),
    column(({ holes }) => holes),
  )
  if (moved.length === moves.length) return
  const places = moves.map(({ topic, own, from }) => `${topic}/${own.lane} at ${from}`)
  throw new TallyError('INVARIANT', `the ledger is not at all of these positions: ${places.join(', ')}`)
}

const retake = prepared(
  'ledger_retake',
  `update ledger set taken = taken + n, ignored = ignored - least(n, ignored), holes = holes - (n - least(n, ignored))
   from (select l.topic, l.partition, l.epoch, least(count(*), l.ignored + l.holes) as n
         from unnest($1::text[], $2::int[], $3::bigint[]) as record (topic, partition, "offset") join ledger l
           on l.topic = record.topic and l.partition = record.partition and l.replay is null
              and record."offset" >= l.first_offset and record."offset" < l.next_offset
         group by l.topic, l.partition, l.epoch) again
   where ledger.topic = again.topic and ledger.partition = again.partition and ledger.epoch = again.epoch`,
)

/**
 * Counts records as taken that the group had passed without processing them: ignored, because the code of that time did not handle
 * their type, or skipped. Call it in the transaction that adds their ids to the inbox.
 */
export async function retakeRecords(
  tx: Tx,
  records: readonly { topic: string; partition: number; offset: number }[],
): Promise<void> {
  if (records.length === 0) return
  await retake(
    tx,
    records.map(({ topic }) => topic),
    records.map(({ partition }) => partition),
    records.map(({ offset }) => offset),
  )
}

/** Opens spans at offset 0 of these topics, under the lane's epoch, in every lane that has a partition of them. */
export const beginTopics = (tx: Tx, topics: readonly string[], partitions: number): Promise<unknown> =>
  tx.query(
    `insert into ledger (topic, partition, epoch, first_offset, next_offset)
     select topic, lane, epoch, 0, 0 from lane cross join unnest($1::text[]) as topic where lane < $2`,
    [topics, partitions],
  )
