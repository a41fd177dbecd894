import type { Mutation } from '../../mutation.ts'

/** A long outage, or much that waits, does not make itself worse, and is shown as it is. */
export const overload: readonly Mutation[] = [
  {
    name: 'condition-once',
    guard: 'a lane’s condition that the database did not take is written again',
    broken: 'a lane that stopped meanwhile is shown as live for ever',
    edits: [
      {
        file: 'consumers/runtime/tables/lane-state.ts',
        find: 'if (this.missing && performance.now() >= this.repeatAt)',
        replace: 'if (this.missing && performance.now() < -this.repeatAt)',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/tables/lane-state.test.ts',
      title: 'a note that the database did not take is written later, and only the last one',
    },
  },
  {
    name: 'ends-asked-once',
    guard: 'the ends of partitions are asked for again when their leader is lost',
    broken: 'an import, or a look for open transactions, fails with the first broker',
    edits: [
      {
        file: 'infra/kafka/reading/open-transactions.ts',
        find: 'whileLeadersMove(async () => {',
        replace: 'Promise.resolve().then(async () => {',
      },
    ],
    noticedBy: {
      file: 'infra/kafka/reading/open-transactions.test.ts',
      title: 'a leader that is lost while the ends are asked for is looked for again, each time by a new client',
    },
  },
  {
    name: 'retries-in-memory',
    guard: 'the parked events that are read for a retry are bounded in bytes',
    broken: 'each lane reads up to 200 of them, of any size',
    edits: [
      {
        file: 'consumers/runtime/tables/retry-table.ts',
        find: 'where place <= $3 and before < $4',
        replace: 'where place <= $3 and $4::int > 0',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/batch/retries.int.test.ts',
      title: 'large events that are due at the same time do not fill the memory: a lane takes its share, in order',
    },
  },
  {
    name: 'full-lane-tries',
    guard: 'a lane that has parked as many events as it may looks for room before it processes more',
    broken: 'it writes and takes back the next batch every two seconds',
    edits: [
      {
        file: 'consumers/runtime/lane/lane.ts',
        find: "await (records && code === 'LANE_FULL' ?",
        replace: "await (records && code === 'INVARIANT' ?",
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/lane/pausing.int.test.ts',
      title: 'a lane at its parking limit reports it and resumes when there is room',
    },
  },
]
