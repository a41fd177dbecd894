import type { Mutation } from '../mutation.ts'

const inboxTest = 'consumers/runtime/tables/inbox/inbox.int.test.ts'
const semanticsTest = 'consumers/runtime/semantics.int.test.ts'
const timersTest = 'consumers/runtime/lane/timers.int.test.ts'
const processBatchTest = 'consumers/runtime/batch/process-batch.int.test.ts'

/** Each decision takes effect once. */
export const effects: readonly Mutation[] = [
  {
    name: 'inbox',
    guard: 'the inbox knows the processed ids',
    broken: 'every id counts as new',
    edits: [
      {
        file: 'consumers/runtime/tables/inbox/inbox.ts',
        find: 'return new Set((await take(tx, ids)).map((row) => row.event_id))',
        replace: 'await take(tx, ids)\n  return new Set(ids)',
      },
    ],
    noticedBy: { file: semanticsTest, title: 'the same event again, in another record, changes nothing' },
  },
  {
    name: 'inbox-within-batch',
    guard: 'a repeat within a batch is a repeat',
    broken: 'it is processed again',
    edits: [
      { file: 'consumers/runtime/batch/dedupe.ts', find: 'fresh.delete(inboxId)', replace: 'fresh.has(inboxId)' },
    ],
    noticedBy: { file: semanticsTest, title: 'the same event again, in another record, changes nothing' },
  },
  {
    name: 'inbox-source',
    guard: 'a foreign id is unique only within its source',
    broken: 'equal ids of two producers count as one',
    edits: [
      {
        file: 'consumers/runtime/tables/inbox/inbox.ts',
        find: "hashedId(JSON.stringify([source() ?? '', id]))",
        replace: 'hashedId(JSON.stringify([source()?.length ?? 0, id]))',
      },
    ],
    noticedBy: { file: inboxTest, title: 'such an id is one only within its source, and as it is written' },
  },
  {
    name: 'unreadable-takes-id',
    guard: 'an unreadable record is identified by its place',
    broken: 'it uses up the id of its event',
    edits: [
      {
        file: 'consumers/runtime/batch/read-records.ts',
        find: 'const taken = named ? inboxId(id, () => envelopePart.source(headers), placeId) : placeId()',
        replace: 'const taken = inboxId(id, () => envelopePart.source(headers), placeId)',
      },
    ],
    noticedBy: { file: semanticsTest, title: 'an event that was unreadable can still come under its id' },
  },
  {
    name: 'random-ids',
    guard: 'ids derive from causes',
    broken: 'a repeated decision produces other ids',
    edits: [
      {
        file: 'schemas/event-id.ts',
        find: '.update(JSON.stringify([group, causeId, type, ordinal]))',
        replace: '.update(JSON.stringify([group, causeId, type, ordinal, randomUUID()]))',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/batch/decide.test.ts',
      title: 'deciding again gives the same ids, and no two are alike',
    },
  },
  {
    name: 'timer-without-row',
    guard: 'a timer fires only if its row exists',
    broken: 'it fires every time it was read',
    edits: [
      {
        file: 'consumers/runtime/tables/timer-table.ts',
        find: 'return new Set((await fired(tx, ids, lanes)).map((row) => row.id))',
        replace: 'await fired(tx, ids, lanes)\n  return new Set(ids)',
      },
    ],
    noticedBy: { file: processBatchTest, title: 'a timer that is seen twice fires once' },
  },
  {
    name: 'timer-early',
    guard: 'a timer fires when it is due',
    broken: 'it fires hours earlier',
    edits: [
      {
        file: 'consumers/runtime/tables/timer-table.ts',
        find: 'due_at <= now()',
        replace: "due_at <= now() + interval \\'9 hours\\'",
      },
    ],
    noticedBy: { file: timersTest, title: 'a timer outlives the replica that set it and fires once, when it is due' },
  },
  {
    name: 'deadline-of-producer',
    guard: 'a deadline counts from the processing of an event',
    broken: 'it counts from the time that the producer wrote',
    edits: [
      {
        file: 'consumers/runtime/batch/decide.ts',
        find: 'cause: { ...own, time: now + afterMs }, afterMs }',
        replace: 'cause: own, afterMs: afterMs + own.time - now }',
      },
    ],
    noticedBy: { file: timersTest, title: 'a producer whose clock is %i h off moves no deadline' },
  },
  {
    name: 'timers-out-of-order',
    guard: 'timers fire in the order in which they are due',
    broken: 'they fire in any order',
    edits: [
      {
        file: 'consumers/runtime/tables/timer-table.ts',
        find: 'order by due_at, id limit',
        replace: 'order by id limit',
      },
    ],
    noticedBy: { file: timersTest, title: 'timers of a key fire in the order in which they come due' },
  },
  {
    name: 'answer-without-row',
    guard: 'an answer counts only if its row exists',
    broken: 'it counts every time it arrives',
    edits: [
      {
        file: 'consumers/runtime/tables/call-table.ts',
        find: 'return new Set((await answered(tx, ids, lanes)).map((row) => row.id))',
        replace: 'await answered(tx, ids, lanes)\n  return new Set(ids)',
      },
    ],
    noticedBy: { file: processBatchTest, title: 'an answer that comes twice counts once' },
  },
  {
    name: 'call-with-new-key',
    guard: 'a call keeps its idempotency key',
    broken: 'each attempt has a new key',
    edits: [
      {
        file: 'consumers/runtime/lane/caller.ts',
        find: 'idempotencyKey: id,',
        replace: 'idempotencyKey: crypto.randomUUID(),',
      },
    ],
    noticedBy: {
      file: semanticsTest,
      title: 'a call without a definite answer is retried with the same key; its answer counts once',
    },
  },
  {
    name: 'calls-not-taken-over',
    guard: 'a new owner makes the calls in the table',
    broken: 'it makes only calls that it decided itself',
    edits: [
      {
        file: 'consumers/runtime/lane/lane-calls.ts',
        find: 'private behind = true',
        replace: 'private behind = false',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/ownership.int.test.ts',
      title: 'the next owner publishes and calls what an owner only committed',
    },
  },
  {
    name: 'withdrawn-fires',
    guard: 'a withdrawn timer is deleted in the transaction that decided so',
    broken: 'timers of orders that have ended stay until they are due',
    edits: [
      {
        file: 'consumers/runtime/tables/timer-table.ts',
        find: 'where timer.key = w.key and timer.kind = w.kind and timer.lane = w.lane limit 1000',
        replace: 'where timer.key = w.key and timer.kind = w.kind and false limit 1000',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/lane/timers.int.test.ts',
      title: 'a withdrawn timer is gone and never fires, set in the same batch or before; others of its key do',
    },
  },
]
