import type { Mutation } from '../mutation.ts'

const ledger = 'consumers/runtime/tables/ledger.ts'
const fetchedBatch = 'consumers/runtime/group/fetched-batch.ts'
const startConsumer = 'consumers/runtime/start-consumer.ts'
const ownershipTest = 'consumers/runtime/ownership.int.test.ts'
const endsTest = 'consumers/operations/lanes/ends.int.test.ts'
const semanticsTest = 'consumers/runtime/semantics.int.test.ts'

const followsIsTrue = {
  file: fetchedBatch,
  find: 'if (!unreadable && this.options.offsets.follows(topic, batch, position)) {',
  replace: 'if (!unreadable && !batch.isEmpty()) {',
}

/** No offset is skipped or processed twice. */
export const positions: readonly Mutation[] = [
  {
    name: 'ledger-compare',
    guard: 'the ledger moves only from where the batch begins',
    broken: 'every batch moves it',
    edits: [
      {
        file: ledger,
        find: 'ledger.epoch = move.epoch and next_offset = since returning 1',
        replace: 'ledger.epoch = move.epoch returning 1',
      },
    ],
    noticedBy: { file: ownershipTest, title: 'a batch that does not begin where the ledger stands is refused' },
  },
  {
    name: 'ledger-apart',
    guard: 'the ledger moves in the transaction of the effects',
    broken: 'it moves in a separate transaction before that',
    edits: [
      {
        file: 'consumers/runtime/batch/apply-batch.ts',
        find: '{ breaker, owner, policy }: ProcessContext',
        replace: '{ breaker, owner, policy, pool }: ProcessContext',
      },
      {
        file: 'consumers/runtime/batch/apply-batch.ts',
        find: 'moveLedger(tx, moves)',
        replace: 'moveLedger(pool as never, moves)',
      },
    ],
    noticedBy: {
      file: semanticsTest,
      title: 'what the database refuses only at the commit is neither published nor asked for',
    },
  },
  {
    name: 'ledger-constraint',
    guard: 'a span accounts for every offset',
    broken: 'the ledger accepts any counts',
    edits: [
      {
        file: 'consumers/runtime/sql/001_runtime.sql',
        find: 'check (next_offset - first_offset = taken + duplicates + ignored + parked + holes)',
        replace: 'check (next_offset >= first_offset)',
      },
    ],
    noticedBy: { file: ownershipTest, title: 'a batch that does not account for every offset is refused' },
  },
  {
    name: 'resume-without-seek',
    guard: 'a lane resumes at the position in its ledger',
    broken: 'it resumes at the offset committed in Kafka, and batches are not compared with the ledger',
    edits: [
      {
        file: 'consumers/runtime/group/membership.ts',
        find: 'for (const topic of this.options.topics) this.seek(lane, topic)',
        replace: '',
      },
      followsIsTrue,
    ],
    noticedBy: { file: ownershipTest, title: 'a group moved %s by hand in Kafka still reads on from its ledger' },
  },
  {
    name: 'batch-does-not-follow',
    guard: 'a batch follows the ledger',
    broken: 'deleted records count as offsets without a record',
    edits: [followsIsTrue],
    noticedBy: { file: ownershipTest, title: 'records deleted before the group read them stop the lane' },
  },
  {
    name: 'passed-over-forgotten',
    guard: 'offsets that kafkajs skips are noted',
    broken: 'an aborted transaction is fetched again forever',
    edits: [{ file: startConsumer, find: 'offsets.passOver(topic, partition, ...stretch)', replace: 'void stretch' }],
    noticedBy: { file: semanticsTest, title: 'aborted transactions are passed over, however long' },
  },
  {
    name: 'end-without-records',
    guard: 'offsets without a record move the ledger, also at the end of a partition',
    broken: 'a further record has to arrive first',
    edits: [{ file: fetchedBatch, find: 'if (to <= from) return', replace: 'return' }],
    noticedBy: {
      file: endsTest,
      title: 'an aborted transaction at the end of several partitions moves the ledger, also while no replica ran',
    },
  },
  {
    name: 'lost-without-a-record',
    guard: 'records deleted up to the end stop the lane',
    broken: 'a further record has to arrive first',
    edits: [{ file: startConsumer, find: '.then(() => positionWatch.look([...lanes.values()]))', replace: '' }],
    noticedBy: {
      file: endsTest,
      title: 'records deleted up to the end stop the lane without a further record; their loss can be accepted',
    },
  },
  {
    name: 'accepted-loss-not-noted',
    guard: 'an accepted loss is recorded',
    broken: 'the lane goes on, and nothing says why records are missing',
    edits: [
      {
        file: 'consumers/operations/lanes/accept-loss.ts',
        find: 'await noteSkipped(tx, own, { ...noted, to: resumeAt })',
        replace: '',
      },
    ],
    noticedBy: {
      file: endsTest,
      title: 'records deleted up to the end stop the lane without a further record; their loss can be accepted',
    },
  },
  {
    name: 'topic-recreated',
    guard: 'a re-created topic stops its lanes',
    broken: 'old offsets are applied to the new topic',
    edits: [
      {
        file: ledger,
        find: 'if (span?.topic_id && start.topicId && span.topic_id !== start.topicId) {',
        replace: 'if (topics.length === 0) {',
      },
    ],
    noticedBy: {
      file: ownershipTest,
      title: 'a topic deleted and created again stops its lanes, also while a replica runs',
    },
  },
  {
    name: 'unreadable-batch-ends-fetch',
    guard: 'a batch that cannot be read holds up its partition only',
    broken: 'it ends the fetch from its broker',
    edits: [
      {
        file: 'infra/kafka/patches/fetch/fetch-response.ts',
        find: 'return [markUnreadable({ ...offsetsOf(set, position), error: error as Error })]',
        replace: 'throw Object.assign(error as Error, { markUnreadable, offsetsOf })',
      },
    ],
    noticedBy: {
      file: 'infra/kafka/patches/fetch/unreadable-batch.test.ts',
      title: 'a batch that is %s stands alone, with its offsets and the reason',
    },
  },
  {
    name: 'damage-passed',
    guard: 'a lane does not pass a batch that cannot be read',
    broken: 'it takes the message that stands for it for a record',
    edits: [
      {
        file: fetchedBatch,
        find: 'const unreadable = findUnreadable(batch.messages)',
        replace: 'const unreadable = lane.number < 0 ? findUnreadable(batch.messages) : undefined',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/group/fetched-batch.test.ts',
      title: 'a batch that cannot be read is fetched again, then stops the lane with the command that passes it',
    },
  },
  {
    name: 'publisher-dates-records',
    guard: 'the broker dates the records of a topic',
    broken: 'their publisher does: retention deletes what a slow clock dates',
    edits: [
      {
        file: 'consumers/operations/partitions/generation-topics.ts',
        find: "value: 'LogAppendTime'",
        replace: "value: 'CreateTime'",
      },
    ],
    noticedBy: {
      file: 'consumers/operations/partitions/generation-topics.test.ts',
      title: 'no clock of a publisher decides how long its events are kept',
    },
  },
  {
    name: 'skip-unrecorded',
    guard: 'skipped offsets are in the ledger as holes of an epoch of their own',
    broken: 'the new span simply begins behind them',
    edits: [
      {
        file: 'consumers/operations/lanes/skip-offsets.ts',
        find: 'await insertSpans(tx, own, [span])',
        replace: 'await insertSpans(tx, own, [{ ...span, position: { offset: to } }])\n  if (topic) return offsets',
      },
    ],
    noticedBy: {
      file: 'scripts/simulate/simulation.test.ts',
      // oxlint-disable-next-line no-template-curly-in-string
      title: 'violates no invariant in ${seeds} worlds',
    },
  },
]
