import type { Mutation } from '../../mutation.ts'

/** What leaves by age leaves an account, and takes nothing with it that is needed. */
export const retention: readonly Mutation[] = [
  {
    name: 'retired-uncounted',
    guard: 'an audit row that leaves by age is counted',
    broken: 'it only leaves',
    edits: [
      {
        file: 'consumers/runtime/tables/retention/retirements.ts',
        find: "await count(tx, lane, 'audit', detail, deleted)",
        replace: 'void detail',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/tables/retention/retention.int.test.ts',
      title:
        'old audit rows leave in slices by two processes at once; each is counted once, and the account stays as it was',
    },
  },
  {
    name: 'retired-while-parked',
    guard: 'what was done with an event that is still parked stays',
    broken: 'its age alone decides',
    edits: [
      {
        file: 'consumers/runtime/tables/retention/retirements.ts',
        find: ' and not exists (select from parked where id = a.parked_id)',
        replace: '',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/tables/retention/retention.int.test.ts',
      title: 'what was done with an event that is still parked stays',
    },
  },
  {
    name: 'retired-unlocked',
    guard: 'an order leaves under the lock of its lane',
    broken: 'it leaves beside a batch',
    edits: [
      {
        file: 'consumers/runtime/tables/retention/retirements.ts',
        find: 'await lockLaneAsOperator(tx, lane)',
        replace: 'void lockLaneAsOperator',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/tables/retention/retention.int.test.ts',
      title: 'an order that a batch changes meanwhile stays: rows are deleted under the lock of their lane',
    },
  },
  {
    name: 'retired-explains-all',
    guard: 'no more orders have left by age than were counted',
    broken: 'any number may be missing',
    edits: [
      {
        file: 'scripts/verify/invariants/tables-equal-fold.ts',
        find: 'leftByAge.size > tables.retired',
        replace: 'leftByAge.size > Infinity',
      },
    ],
    noticedBy: {
      file: 'scripts/verify/verify.test.ts',
      title: 'take an ended order for one that has left by its age, but no more of them than have left',
    },
  },
  {
    name: 'deleted-unread-excused',
    guard: 'what Kafka deleted explains what is missing only if every group stood behind it',
    broken: 'a group that had not read it is no matter',
    edits: [{ file: 'scripts/verify/acts/losses.ts', find: 'position < low', replace: 'position < -1' }],
    noticedBy: {
      file: 'scripts/verify/acts/losses.test.ts',
      title: 'are violations if a group had not read them and no operator accepted their loss, which then is the cause',
    },
  },
  {
    name: 'deleted-explains-any-gap',
    guard: 'deletion by age explains only the first numbers of an outbox',
    broken: 'it explains every missing number',
    edits: [
      { file: 'scripts/verify/acts/losses.ts', find: '(oldest || !byAge)', replace: '(oldest || byAge !== false)' },
    ],
    noticedBy: {
      file: 'scripts/verify/acts/losses.test.ts',
      title:
        'by age, after every group had passed them, are the cause for older orders only, and for the first numbers',
    },
  },
  {
    name: 'replay-outside-trace',
    guard: 'what a replay emits continues the trace of its order',
    broken: 'it continues from the original event',
    edits: [
      {
        file: 'consumers/operations/replay/replay-spans.ts',
        find: 'traceparent: traceparentOf(replaySpan(replay, input))',
        replace: 'traceparent: input.cause.traceparent ?? String(replay)',
      },
    ],
    noticedBy: {
      file: 'consumers/operations/replay/reprocess/reprocess.int.test.ts',
      title: 'each event is a span in the trace of its order, and what it emits continues from there',
    },
  },
]
