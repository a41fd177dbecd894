import type { Mutation } from '../mutation.ts'

const decideFile = 'consumers/runtime/batch/decide.ts'
const decideTest = 'consumers/runtime/batch/decide.test.ts'
const correctsTitle = 'a replay that corrects gives events other ids, calls and timers the same, and calls remember it'
const reprocessTest = 'consumers/operations/replay/reprocess/reprocess.int.test.ts'
const failuresTest = 'consumers/operations/replay/reprocess/reprocess-failures.int.test.ts'

/** Reprocessing repeats no effect, skips no event and undoes no decision of an operator. */
export const reprocessing: readonly Mutation[] = [
  {
    name: 'places-forgotten',
    guard: 'a record that is read again is recognized by its place',
    broken: 'parked and edited events count as new',
    edits: [
      {
        file: 'consumers/runtime/tables/known-places.ts',
        find: 'return new Set(rows.map(({ place_id }) => place_id))',
        replace: 'return new Set(rows.flatMap(() => []))',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/tables/known-places.int.test.ts',
      title: 'a record is known by its place while it is parked unread, and after an operator has edited it',
    },
  },
  {
    name: 'reprocess-twice',
    guard: 'a replay processes an event once',
    broken: 'an event that is in the log twice is processed twice',
    edits: [
      {
        file: 'consumers/operations/replay/reprocess/handled-events.ts',
        find: '!handled.has(inboxId) && handled.add(inboxId)',
        replace: 'handled.add(inboxId)',
      },
    ],
    noticedBy: { file: reprocessTest, title: 'an event that lies in the log twice is handled once' },
  },
  {
    name: 'reprocess-not-handed-over',
    guard: 'events that a replay adds to a quiet lane are published',
    broken: 'they stay in the table until the lane is claimed again',
    edits: [
      {
        file: 'consumers/operations/replay/reprocess/wake-owner.ts',
        find: 'await raiseEpoch(pool, lane, `replay ${replay}`)',
        replace: 'await Promise.resolve(raiseEpoch && replay)',
      },
    ],
    noticedBy: {
      file: reprocessTest,
      title: 'a changed handler changes the rows of the chosen events alone, and what it emits, others know already',
    },
  },
  {
    name: 'correct-with-old-ids',
    guard: 'events of a correction are new to their consumers',
    broken: 'they keep their ids',
    edits: [{ file: decideFile, find: 'derive(type, cause.correctedBy)', replace: 'derive(type)' }],
    noticedBy: { file: decideTest, title: correctsTitle },
  },
  {
    name: 'correct-with-new-keys',
    guard: 'calls keep their idempotency keys in a correction',
    broken: 'the card is charged again',
    edits: [
      {
        file: decideFile,
        find: 'derive(`${family}:${kind}`)',
        replace: 'derive(`${family}:${kind}`, cause.correctedBy)',
      },
    ],
    noticedBy: { file: decideTest, title: correctsTitle },
  },
  {
    name: 'reprocess-dropped',
    guard: 'an event that an operator dropped takes no effect',
    broken: 'it is processed again',
    edits: [
      {
        file: 'consumers/operations/replay/reading/operator-decisions.ts',
        find: 'if (!decisions.has(place)) return message',
        replace: 'if (place) return message',
      },
    ],
    noticedBy: { file: failuresTest, title: 'operator decisions about parked events are kept' },
  },
  {
    name: 'reprocess-stale-decisions',
    guard: 'operator decisions are read when the lane is locked',
    broken: 'they are read when the replay begins',
    edits: [
      {
        file: 'consumers/operations/replay/reprocess/reprocess-lane.ts',
        find: '(await lastDecision(tx, this.lane)) === upTo ? this',
        replace: 'upTo >= 0 ? this',
      },
    ],
    noticedBy: { file: failuresTest, title: 'what is dropped while the replay runs is left out, too' },
  },
  {
    name: 'reprocess-overtakes',
    guard: 'later events of a key wait behind one that failed',
    broken: 'they are processed without it',
    edits: [
      {
        file: 'consumers/operations/replay/reprocess/apply-chosen.ts',
        find: 'for (const { input } of found) options.behind.add(input.key)',
        replace: '',
      },
    ],
    noticedBy: {
      file: failuresTest,
      title: 'told to pass over failures (%s), it notes them and what is behind them',
    },
  },
  {
    name: 'deadlock-stops-replay',
    guard: 'a transaction that was the victim of a deadlock is run again',
    broken: 'the replay stops',
    edits: [
      {
        file: 'infra/postgres/retry-deadlocks.ts',
        find: "if (!hasSqlState(error, 'deadlockDetected') || attempt === attempts) throw error",
        replace: 'if (error) throw error',
      },
    ],
    noticedBy: {
      file: 'infra/postgres/retry-deadlocks.test.ts',
      title: 'a transaction that was the victim of deadlocks is run again until it commits',
    },
  },
  {
    name: 'timeline-once',
    guard: 'an event that is in the timeline already is not added again',
    broken: 'a reprocessing adds it a second time',
    edits: [
      {
        file: 'consumers/order-status/order-status-table.ts',
        find: 'if (repeats.length === 0) return orders',
        replace: 'if (repeats.length >= 0) return orders',
      },
    ],
    noticedBy: {
      file: 'consumers/order-status/order-status-table.int.test.ts',
      title: 'an event that a reprocessing hands in again corrects its line in the timeline and adds none',
    },
  },
]
