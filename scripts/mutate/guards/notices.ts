import type { Mutation } from '../mutation.ts'

const polling = 'infra/notices/polling.ts'
const idleFetch = 'infra/kafka/patches/idle-fetch.ts'

/** Idle processes look seldom, and miss nothing by it. */
export const notices: readonly Mutation[] = [
  {
    name: 'notices-unproven',
    guard: 'a connection counts as heard once a notice has arrived over it',
    broken: 'behind a pooler that swallows notices every change waits for the longest interval',
    edits: [{ file: 'infra/notices/listen.ts', find: '.then(() => proven)', replace: '' }],
    noticedBy: {
      file: 'infra/notices/listen.int.test.ts',
      title: 'a connection over which no notices arrive does not count as heard',
    },
  },
  {
    name: 'deaf-and-slow',
    guard: 'a process that hears no notices looks often',
    broken: 'it learns of a pause or a new owner seconds later',
    edits: [{ file: polling, find: 'this.stirred || !notices.heard', replace: 'this.stirred' }],
    noticedBy: {
      file: 'infra/notices/polling.test.ts',
      title: 'looks often while no notices arrive, from the moment at which they end',
    },
  },
  {
    name: 'due-ignored',
    guard: 'an idle process looks when something is due',
    broken: 'timers and retries are late by the longest interval',
    edits: [{ file: polling, find: 'Math.min(seldomMs, Math.max(soonMs, dueMs))', replace: 'seldomMs' }],
    noticedBy: { file: 'infra/notices/polling.test.ts', title: 'looks soon after work, and when something is due' },
  },
  {
    name: 'deaf-while-fetching',
    guard: 'a rebalance ends the wait for records of an idle member',
    broken: 'the fetch after the rebalance waits behind the one before it',
    edits: [{ file: idleFetch, find: 'if (!answered) await giveUp', replace: 'if (answered) await giveUp' }],
    noticedBy: {
      file: 'infra/kafka/patches/idle-fetch.test.ts',
      title: 'a rebalance ends the wait of an idle member, and its connection, over which the next fetch would wait',
    },
  },
]
