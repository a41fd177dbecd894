import type { Mutation } from '../mutation.ts'

const groupsTest = 'consumers/runtime/batch/batch-groups.int.test.ts'

/** Lanes that share a transaction do not affect each other. */
export const groups: readonly Mutation[] = [
  {
    name: 'group-epochs',
    guard: 'each lane of a group is locked with its epoch',
    broken: 'a lane is written after another owner has claimed it',
    edits: [{ file: 'producers/outbox/lane-table.ts', find: 'using (lane, epoch)', replace: 'using (lane)' }],
    noticedBy: { file: groupsTest, title: 'a lane with a newer owner is refused, the others are not' },
  },
  {
    name: 'group-shared-rows',
    guard: 'a lane sees the changes of earlier lanes to shared rows',
    broken: 'it sees the rows as they were loaded',
    edits: [
      {
        file: 'consumers/runtime/batch/apply-batch.ts',
        find: 'for (const [id, row] of outcome.shared) shared.set(id, row)',
        replace: '',
      },
    ],
    noticedBy: {
      file: groupsTest,
      title:
        'batches of several lanes take effect in one transaction, and each sees what the others did to shared rows',
    },
  },
  {
    name: 'group-guesses',
    guard: 'after an unknown commit outcome the lanes are claimed again',
    broken: 'the batches are processed again as if the commit had failed',
    edits: [
      {
        file: 'consumers/runtime/batch/batch-groups.ts',
        find: 'group.length > 1 && leftNothing(error)',
        replace: 'group.length > 1 && (leftNothing(error) || true)',
      },
    ],
    noticedBy: { file: groupsTest, title: 'whether a lost commit took effect is left to the lanes to find out' },
  },
  {
    name: 'group-fails-whole',
    guard: 'if a group fails, its batches are processed one by one',
    broken: 'all of them fail',
    edits: [
      {
        file: 'consumers/runtime/batch/batch-groups.ts',
        find: 'group.length > 1 && leftNothing(error)',
        replace: 'group.length > 99 && leftNothing(error)',
      },
    ],
    noticedBy: { file: groupsTest, title: 'what the database refuses fails its own lane only' },
  },
]
