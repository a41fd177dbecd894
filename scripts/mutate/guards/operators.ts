import type { Mutation } from '../mutation.ts'

const acceptLoss = 'consumers/operations/lanes/accept-loss.ts'
const losses = 'scripts/verify/acts/losses.ts'
const lossesTest = 'scripts/verify/acts/losses.test.ts'

/** An act of an operator takes effect once, and explains no more than it did. */
export const operators: readonly Mutation[] = [
  {
    name: 'loss-accepted-twice',
    guard: 'of two operators who accept a loss, one does',
    broken: 'the second one moves the lane again, from where it was',
    edits: [
      {
        file: acceptLoss,
        find: 'if ((await lossesOf(tx, group, lane, broker)).length === 0) return []',
        replace: 'const seen = await lossesOf(tx, group, lane, broker)\n    if (seen.length === 0) return []',
      },
      {
        file: acceptLoss,
        find: 'const losses = await lossesOf(tx, group, lane, broker) //',
        replace: 'const losses = seen //',
      },
    ],
    noticedBy: {
      file: 'consumers/operations/lanes/ends.int.test.ts',
      title: 'records deleted up to the end stop the lane without a further record; their loss can be accepted',
    },
  },
  {
    name: 'dropped-by-one',
    guard: 'an event has no effect only if every consumer of it dropped or skipped it',
    broken: 'one that dropped it is enough',
    edits: [
      { file: 'scripts/verify/acts/acts.ts', find: 'without: readers.every(', replace: 'without: readers.some(' },
    ],
    noticedBy: {
      file: 'scripts/verify/acts/acts.test.ts',
      title: 'it takes no effect only if every consumer that would process it dropped or skipped it',
    },
  },
  {
    name: 'loss-explains-later',
    guard: 'a loss explains nothing of an order that was placed after it',
    broken: 'from the first loss on, whatever a lane gets wrong is explained',
    edits: [{ file: losses, find: 'recordedAt > at', replace: 'recordedAt < 0' }],
    noticedBy: {
      file: lossesTest,
      title: 'explain nothing of an order that was placed after the loss, nor of another partition',
    },
  },
  {
    name: 'loss-explains-any-number',
    guard: 'no more events are missing on the topics than were lost',
    broken: 'after a loss, any number may be missing',
    edits: [
      {
        file: 'scripts/verify/invariants/taken-once.ts',
        find: 'Math.max(over - found, -missing) <= gone',
        replace: 'Math.max(over - found, -missing) <= Infinity',
      },
    ],
    noticedBy: {
      file: lossesTest,
      title: 'leave strict what they cannot explain: more is missing than is gone, an unread event, a second capture',
    },
  },
  {
    name: 'retaken-uncounted',
    guard: 'an event that the group had ignored counts as taken when it is reprocessed',
    broken: 'ledger and inbox differ for good',
    edits: [
      {
        file: 'consumers/runtime/tables/ledger.ts',
        find: 'if (records.length === 0) return\n  await retake(',
        replace: 'if (records.length >= 0) return\n  await retake(',
      },
    ],
    noticedBy: {
      file: 'consumers/operations/replay/reprocess/reprocess.int.test.ts',
      title:
        'events of a type that older code ignored, or that were skipped, are taken from then on: ledger and inbox stay in step',
    },
  },
  {
    name: 'dropped-ends-rebuild',
    guard: 'a rebuild passes over records that operators dropped unread',
    broken: 'one of them refuses every rebuild',
    edits: [
      {
        file: 'consumers/operations/replay/rebuild/fold-lane.ts',
        find: 'const id = input?.inboxId ?? ids.get(record)',
        replace: 'const id = input?.inboxId',
      },
    ],
    noticedBy: {
      file: 'consumers/operations/replay/rebuild/decided-and-gone.int.test.ts',
      title: 'a rebuild waits until parked events are decided and applies the decisions of operators',
    },
  },
  {
    name: 'gap-failure-unnoticed',
    guard: 'a gap that cannot be passed fails its lane',
    broken: 'the process ends',
    edits: [
      {
        file: 'consumers/runtime/group/fetched-batch.ts',
        find: '.catch((error: unknown) => lane.fail(error))',
        replace: '',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/group/fetched-batch.test.ts',
      title: 'a gap that cannot be passed fails its lane and is no error of the client',
    },
  },
  {
    name: 'untaken-connection-kept',
    guard: 'a connection that a frozen broker has not taken is closed when it is given up',
    broken: 'a command ends two minutes after its answer',
    edits: [
      {
        file: 'infra/kafka/patches/silent-broker.ts',
        find: 'if (this.socket?.connecting) this.socket.destroy()',
        replace: '',
      },
    ],
    noticedBy: {
      file: 'infra/kafka/patches/silent-broker.test.ts',
      title: 'a connection that was given up while the broker had not taken it keeps no process alive',
    },
  },
  {
    name: 'stale-gauge',
    guard: 'what is not reported any more has no value',
    broken: 'a lane that moved is shown by its old owner for ever',
    edits: [
      {
        file: 'infra/monitor/meters.ts',
        find: 'for (const metric of made.values()) metric.reset()',
        replace: '',
      },
    ],
    noticedBy: {
      file: 'infra/monitor/monitor.test.ts',
      title: 'what is not reported any more has no value: a lane that moved must not be shown twice',
    },
  },
  {
    name: 'trace-broken',
    guard: 'an emitted event names the span in which it was decided',
    broken: 'it names that of its cause, so the trace has no path',
    edits: [
      {
        file: 'consumers/runtime/batch/decide.ts',
        find: 'exported ? traceparentOf(processSpan(group, cause)) : cause.traceparent',
        replace: '(void exported, cause.traceparent)',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/meters/order-spans.int.test.ts',
      title:
        'an order has one trace: processing, calls, answers and publication, with links to the shared transactions',
    },
  },
  {
    name: 'start-on-old-tables',
    guard: 'a service refuses tables older than its code',
    broken: 'it starts, and its statements fail later',
    edits: [{ file: 'infra/doctor/check-at-start.ts', find: 'if (blocking) throw', replace: 'if (false) throw' }],
    noticedBy: {
      file: 'consumers/operations/doctor/examine.int.test.ts',
      title: 'faults planted at once are all found, each with its cure, and no secret is told',
    },
  },
]
