import type { Mutation } from '../mutation.ts'

const groupsTest = 'consumers/runtime/batch/batch-groups.int.test.ts'

/** That lanes which share a transaction share nothing else. */
export const groups: readonly Mutation[] = [
  {
    name: 'group-epochs',
    guard: 'each lane of a group is locked with its epoch',
    broken: 'a lane that another owner has claimed is written to',
    edits: [{ file: 'producers/outbox/lane-table.ts', find: 'using (lane, epoch)', replace: 'using (lane)' }],
    noticedBy: { file: groupsTest, title: 'a lane with a newer owner is refused, the others are not' },
  },
  {
    name: 'group-shared-rows',
    guard: 'a lane decides with what the lanes before it leave',
    broken: 'with the rows as they were loaded',
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
    guard: 'whether a lost commit took effect is found out by claiming',
    broken: 'the batches are taken again as if it had not',
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
    guard: 'when a group fails, its batches are taken one by one',
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
