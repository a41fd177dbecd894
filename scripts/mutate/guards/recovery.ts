import type { Mutation } from '../mutation.ts'

const applyBatch = 'consumers/runtime/batch/apply-batch.ts'
const simulation = {
  file: 'scripts/simulate/simulation.test.ts',
  // oxlint-disable-next-line no-template-curly-in-string
  title: 'violates no invariant in ${seeds} worlds',
}

/** A failure at any moment leaves no partial effects. Only many interleavings show that. */
export const recovery: readonly Mutation[] = [
  {
    name: 'failure-goes-on',
    guard: 'a lane is claimed again after a failure',
    broken: 'it continues with its state in memory',
    edits: [
      {
        file: 'consumers/runtime/lane/lane.ts',
        find: 'else this.setAside(error, request && sourceOf(request))',
        replace: 'else this.context.readOn(this.number)',
      },
    ],
    noticedBy: simulation,
  },
  {
    name: 'calls-left-in-table',
    guard: 'an answer that makes room has further calls read from the table',
    broken: 'they are read only when other calls come',
    edits: [
      {
        file: 'consumers/runtime/lane/lane-calls.ts',
        find: 'if (this.lacks) this.options.wake()',
        replace: '',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/lane/lane-calls.test.ts',
      title: 'with room for %i calls, 1,500 are made to the last without other traffic',
    },
  },
  {
    name: 'row-apart',
    guard: 'the row of an answer or timer is deleted in the transaction of its effects',
    broken: 'it is deleted in a separate transaction before that',
    edits: [
      {
        file: applyBatch,
        find: 'dedupe(tx, work,',
        replace: `dedupe(work.some(({ batch }) => batch.source === 'record' || batch.source === 'parked') ? tx : (context.pool as never), work,`,
      },
    ],
    noticedBy: simulation,
  },
  {
    name: 'rows-unbounded',
    guard: 'the lanes of a process share its room for events of the outbox',
    broken: 'each lane takes as much as if it were alone',
    edits: [
      {
        file: 'producers/outbox/lane-feed.ts',
        find: 'Math.floor(processLimit / Math.max(1, lanes))',
        replace: 'processLimit / Math.min(1, lanes)',
      },
    ],
    noticedBy: {
      file: 'producers/outbox/lane-feed.test.ts',
      title: '%i lanes keep 20,000 events in memory at most while nothing is published, and lose none',
    },
  },
  {
    name: 'rebuild-beyond-memory',
    guard: 'a rebuild whose ids do not fit in memory is refused',
    broken: 'it begins and ends for want of memory',
    edits: [
      {
        file: 'consumers/operations/replay/rebuild/preconditions.ts',
        find: 'if (bytes <= most) return []',
        replace: 'if (bytes >= 0) return []',
      },
    ],
    noticedBy: {
      file: 'consumers/operations/replay/rebuild/preconditions.test.ts',
      title: 'a rebuild whose ids do not fit in memory is refused before it starts, with the estimate',
    },
  },
]
