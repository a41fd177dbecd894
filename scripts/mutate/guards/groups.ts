import type { Mutation } from '../mutation.ts'

const groupsTest = 'consumers/runtime/batch/batch-groups.int.test.ts'
const oneLaneTest = 'consumers/runtime/batch/one-lane.int.test.ts'
const applyBatch = 'consumers/runtime/batch/apply-batch.ts'
const seesFirst =
  'of two batches of a lane in one transaction, the second sees the first one’s state and continues its numbers'

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
        file: applyBatch,
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
  {
    name: 'lane-first-batch-unseen',
    guard: 'the second batch of a lane in a transaction sees the state that the first left',
    broken: 'it sees the state as it was loaded',
    edits: [
      { file: applyBatch, find: 'for (const [key, state] of outcome.states) states.set(key, state)', replace: '' },
    ],
    noticedBy: { file: oneLaneTest, title: seesFirst },
  },
  {
    name: 'lane-numbers-twice',
    guard: 'the second batch of a lane in a transaction continues the numbers of the first',
    broken: 'both begin with the same number',
    edits: [
      {
        file: applyBatch,
        find: 'firstSeqs.set(lane, firstSeq + countEvents(publish))',
        replace: '',
      },
    ],
    noticedBy: { file: oneLaneTest, title: seesFirst },
  },
  {
    name: 'lane-former-epoch',
    guard: 'batches of two ownerships of a lane do not share a transaction',
    broken: 'the older one is written although the lane has claimed itself again',
    edits: [{ file: applyBatch, find: '`${own.lane}/${own.epoch}`', replace: 'own.lane' }],
    noticedBy: { file: oneLaneTest, title: 'a batch of a former ownership is not let in by one of the new' },
  },
  {
    name: 'lane-not-behind',
    guard: 'what the first batch of a lane parks, the second queues behind',
    broken: 'the second overtakes it',
    edits: [{ file: applyBatch, find: '...(blocked[index] ?? []), ...behind', replace: '...(blocked[index] ?? [])' }],
    noticedBy: { file: oneLaneTest, title: 'what the first parks, the second queues behind' },
  },
  {
    name: 'lane-timer-stays',
    guard: 'a timer that an earlier batch of the transaction added can be withdrawn',
    broken: 'it fires all the same',
    edits: [{ file: applyBatch, find: 'withdrawNew(outcome.timers, timer)', replace: 'void timer' }],
    noticedBy: { file: oneLaneTest, title: 'a timer that the first adds and the second withdraws is never stored' },
  },
  {
    name: 'lane-twice-at-once',
    guard: 'a lane has one transaction in progress at a time',
    broken: 'two of its batches run at once, and the numbers of their events may be published in the wrong order',
    edits: [
      {
        file: 'consumers/runtime/batch/batch-groups.ts',
        find: '!this.inProgress.has(work.own.lane)',
        replace: 'true',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/batch/batch-groups.test.ts',
      title: 'a lane has one transaction at a time, its batches %s',
    },
  },
  {
    name: 'late-end-counts',
    guard: 'what ends after its lane claimed itself again does not touch the new ownership',
    broken: 'it sets the lane aside, or moves its position back',
    edits: [
      {
        file: 'consumers/runtime/lane/lane.ts',
        find: 'committed\n    if (!isOurs()) return false',
        replace: 'committed',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/lane/lane.int.test.ts',
      title: 'what ends after its lane claimed itself again, and %s, does not touch the new ownership',
    },
  },
]
