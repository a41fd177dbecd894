import type { Mutation } from '../mutation.ts'

const applyBatch = 'consumers/runtime/batch/apply-batch.ts'
const simulation = {
  file: 'scripts/simulate/simulation.test.ts',
  // oxlint-disable-next-line no-template-curly-in-string
  title: 'keeps its promises in ${seeds} worlds',
}

/** A failure at any moment leaves nothing half done; only many interleavings show that. */
export const recovery: readonly Mutation[] = [
  {
    name: 'failure-goes-on',
    guard: 'after a failure a lane is claimed again',
    broken: 'it continues with the state in memory',
    edits: [
      {
        file: 'consumers/runtime/lane/lane.ts',
        find: 'else this.setAside(error)',
        replace: 'else this.context.readOn(this.number)',
      },
    ],
    noticedBy: simulation,
  },
  {
    name: 'row-apart',
    guard: 'the row of an answer or timer leaves in the transaction of its effects',
    broken: 'it leaves in one of its own before',
    edits: [
      {
        file: applyBatch,
        find: 'dedupe(tx, work,',
        replace: `dedupe(work.some(({ batch }) => batch.source === 'record' || batch.source === 'parked') ? tx : (context.pool as never), work,`,
      },
    ],
    noticedBy: simulation,
  },
]
