import type { Mutation } from '../mutation.ts'

const attemptGuard = 'consumers/runtime/lane/attempt-guard.ts'
const attemptGuardTest = 'consumers/runtime/lane/attempt-guard.int.test.ts'
const parkedTable = 'consumers/runtime/tables/parked-table.ts'
const pausingTest = 'consumers/runtime/lane/pausing.int.test.ts'
const retriesTest = 'consumers/runtime/batch/retries.int.test.ts'
const retryTable = 'consumers/runtime/tables/retry-table.ts'
const semanticsTest = 'consumers/runtime/semantics.int.test.ts'
const processBatchTest = 'consumers/runtime/batch/process-batch.int.test.ts'

/** Failed events wait in order and hold up no other keys. */
export const parking: readonly Mutation[] = [
  {
    name: 'park-without-queueing',
    guard: 'later events of a parked key queue behind it',
    broken: 'they are processed at once',
    edits: [
      {
        file: parkedTable,
        find: 'Map.groupBy(await blocked(tx, lanes, keys),',
        replace: 'Map.groupBy((await blocked(tx, lanes, keys)).slice(0, 0),',
      },
    ],
    noticedBy: {
      file: retriesTest,
      title: 'after the last attempt an event waits for an operator; its key stays in order, other keys flow',
    },
  },
  {
    name: 'queue-within-batch',
    guard: 'later events of the key in the same batch queue, too',
    broken: 'the next event of the key in the batch is processed',
    edits: [{ file: 'consumers/runtime/batch/decide.ts', find: 'blocked.add(key)', replace: 'void key' }],
    noticedBy: {
      file: 'consumers/runtime/batch/decide.test.ts',
      title: 'an input whose handler throws is parked without other effects; its key waits, other keys continue',
    },
  },
  {
    name: 'retry-out-of-order',
    guard: 'only the head of a key is retried',
    broken: 'an event behind it may be retried first',
    edits: [
      {
        file: retryTable,
        find: 'return new Set(rows.map(({ key }) => key))',
        replace: 'return new Set(rows.flatMap(() => []))',
      },
    ],
    noticedBy: { file: processBatchTest, title: 'a parked event is not tried while another of its key is in front' },
  },
  {
    name: 'retry-without-revision',
    guard: 'a retry counts only at the revision that was read',
    broken: 'an event that changed meanwhile is processed, too',
    edits: [
      {
        file: retryTable,
        find: 'as read (id, revision) using (id, revision) where lane = $1',
        replace: 'as read (id, revision) using (id) where lane = $1',
      },
    ],
    noticedBy: {
      file: processBatchTest,
      title: 'a parked event that has changed since it was read is not handled',
    },
  },
  {
    name: 'next-stays-behind',
    guard: 'when a head is processed, the next event of its key is due',
    broken: 'it waits forever',
    edits: [
      {
        file: retryTable,
        find: 'await next(tx, lane, [...new Set(retries.map(({ parkedKey }) => parkedKey))])',
        replace: '',
      },
    ],
    noticedBy: { file: processBatchTest, title: 'when the head of a key has been handled, the next is due at once' },
  },
  {
    name: 'behind-stays-due',
    guard: 'a retry that ends behind another event is not due until its turn',
    broken: 'it is read on every poll and keeps others from their turn',
    edits: [{ file: retryTable, find: 'if (behind.length > 0) {', replace: 'if (behind.length < 0) {' }],
    noticedBy: {
      file: retriesTest,
      title: 'retries that turn out to be behind another event do not keep others from their turn',
    },
  },
  {
    name: 'due-across-lanes',
    guard: 'of each key as many events are read as leave the others a turn',
    broken: 'a key with many events takes all turns',
    edits: [
      {
        file: retryTable,
        find: 'row_number() over turns as place',
        replace: 'row_number() over (partition by queued.lane order by queued.id) as place',
      },
    ],
    noticedBy: {
      file: retriesTest,
      title: 'a key with many events, or a lane with many keys, does not keep the others from their turn',
    },
  },
  {
    name: 'parks-whole-batch',
    guard: 'the one input that the database refuses is found',
    broken: 'its whole batch is parked',
    edits: [
      {
        file: 'consumers/runtime/batch/split-batch.ts',
        find: 'await processOrSplit({ own, batch }, options)',
        replace:
          "await processOrSplit({ own, batch, refusal: { reason: 'REFUSED_BY_DATABASE', error: 'x' } }, options)",
      },
    ],
    noticedBy: {
      file: semanticsTest,
      title: 'what the database refuses only at the commit is neither published nor asked for',
    },
  },
  {
    name: 'parks-wrong-half',
    guard: 'halves of a batch are processed in order, each on its own',
    broken: 'the sound half is parked and the bad one is retried',
    edits: [
      {
        file: 'consumers/runtime/batch/split-batch.ts',
        find: 'await processOrSplit({ own, batch }, options)',
        replace: `await processOrSplit(batch === halves[0] ? { own, batch, refusal: { reason: 'REFUSED_BY_DATABASE', error: 'x' } } : { own, batch }, options)`,
      },
    ],
    noticedBy: {
      file: semanticsTest,
      title: 'what the database refuses only at the commit is neither published nor asked for',
    },
  },
  {
    name: 'split-forgets-redelivery',
    guard: 'the halves of a redelivered batch are a redelivery, too',
    broken: 'a dropped event takes effect, a parked one is parked twice',
    edits: [
      {
        file: 'consumers/runtime/batch/split-batch.ts',
        find: 'const headMove: OffsetMove = { ...batch.move, to: cut,',
        replace: 'const headMove: OffsetMove = { ...batch.move, again: undefined, to: cut,',
      },
      {
        file: 'consumers/runtime/batch/split-batch.ts',
        find: '    from: cut,',
        replace: '    from: cut,\n    again: undefined,',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/batch/split-batch.test.ts',
      title: 'halves of a redelivery are redeliveries',
    },
  },
  {
    name: 'marks-side-by-side',
    guard: 'careful lanes take turns',
    broken: 'several inputs are marked when the process ends',
    edits: [
      {
        file: attemptGuard,
        find: 'this.limit === unlimited ? attempt() : this.options.inTurn(attempt)',
        replace: 'attempt()',
      },
    ],
    noticedBy: {
      file: attemptGuardTest,
      title: 'careful lanes of one process take turns, so that one mark alone is found when it dies',
    },
  },
  {
    name: 'no-cap',
    guard: 'a lane parks no more than it may',
    broken: 'it parks any number',
    edits: [
      {
        file: parkedTable,
        find: 'if ((await countParked(tx, lane)) > policy.parkedLimit) {',
        replace: 'if ((await countParked(tx, lane)) > Infinity + policy.parkedLimit) {',
      },
    ],
    noticedBy: { file: pausingTest, title: 'a lane at its parking limit reports it and resumes when there is room' },
  },
  {
    name: 'no-breaker',
    guard: 'a service that fails at every event parks only a few',
    broken: 'the breaker never opens',
    edits: [
      {
        file: 'consumers/runtime/batch/failure-breaker.ts',
        find: 'if (batch.failures.length === 0) return undefined',
        replace: 'if (batch.failures.length >= 0) return undefined',
      },
    ],
    noticedBy: {
      file: retriesTest,
      title: 'a service that fails at everything parks a handful, waits, and recovers automatically',
    },
  },
  {
    name: 'paused-takes',
    guard: 'a paused lane processes nothing',
    broken: 'due events are processed all the same',
    edits: [
      {
        file: 'consumers/runtime/lane/lane.ts',
        find: "return this.phase === 'live' && this.paused === undefined",
        replace: "return this.phase === 'live'",
      },
    ],
    noticedBy: { file: pausingTest, title: 'a parked event is not retried while its lane is paused' },
  },
  {
    name: 'guard-never-marks',
    guard: 'after two starts, inputs are marked before they are processed',
    broken: 'nothing is marked',
    edits: [{ file: attemptGuard, find: 'await markSuspect(this.options.pool, this.own, name, inputs)', replace: '' }],
    noticedBy: { file: attemptGuardTest, title: 'the input a process died of is found, and only that one' },
  },
  {
    name: 'guard-never-suspects',
    guard: 'an input that was marked alone when the process ended is parked',
    broken: 'it is retried forever',
    edits: [{ file: attemptGuard, find: 'if (name === this.culprit) return false', replace: '' }],
    noticedBy: { file: attemptGuardTest, title: 'the input a process died of is found, and only that one' },
  },
]
