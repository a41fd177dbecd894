import type { Mutation } from '../../mutation.ts'

const inboxTest = 'consumers/runtime/tables/inbox/inbox.int.test.ts'
const inboxRoll = 'consumers/runtime/tables/inbox/roll.ts'

/** The inbox moves on from week to week, and forgets only what has left. */
export const weeks: readonly Mutation[] = [
  {
    name: 'inbox-late-ids',
    guard: 'ids that arrived late outlive the partition of their week',
    broken: 'they are dropped with that partition',
    edits: [
      {
        file: inboxRoll,
        find: 'for (const table of roll.old) await copy(db, table, roll.horizon)',
        replace: '',
      },
    ],
    noticedBy: {
      file: inboxTest,
      title: 'an id that came late is remembered as long as any other, though its week has left',
    },
  },
  {
    name: 'inbox-roll-unmirrored',
    guard: 'what batches do while the inbox moves on is repeated in the new tables',
    broken: 'ids that are added are forgotten, ids that are removed stay',
    edits: [
      {
        file: inboxRoll,
        find: "if tg_op = 'DELETE' then",
        replace: 'if true then',
      },
    ],
    noticedBy: {
      file: inboxTest,
      title: 'what is added and removed while it moves on is neither lost nor brought back',
    },
  },
  {
    name: 'inbox-roll-stale-copy',
    guard: 'what a batch removes while it is being copied leaves the copy, too',
    broken: 'the id stays known, and the event under it never takes effect',
    edits: [{ file: inboxRoll, find: '       and not exists (', replace: '       and exists (' }],
    noticedBy: {
      file: inboxTest,
      title: 'what is being removed while it is copied is not brought back, unless it was taken again',
    },
  },
  {
    name: 'inbox-roll-taken-again',
    guard: 'an id that was removed and taken again stays in the copy',
    broken: 'it is forgotten, and its event takes effect twice',
    edits: [{ file: inboxRoll, find: '       and not exists (', replace: '       and true or exists (' }],
    noticedBy: {
      file: inboxTest,
      title: 'what is being removed while it is copied is not brought back, unless it was taken again',
    },
  },
  {
    name: 'inbox-by-host-clock',
    guard: 'the database’s clock decides which weeks leave',
    broken: 'a host whose clock is ahead empties the inbox',
    edits: [
      {
        file: 'infra/postgres/database-time.ts',
        find: 'return (rows[0] as { now: Date }).now.getTime()',
        replace: 'return rows.length * Date.now()',
      },
    ],
    noticedBy: { file: inboxTest, title: 'a host whose clock is five weeks ahead forgets nothing' },
  },
  {
    name: 'inbox-two-maintainers',
    guard: 'one process maintains an inbox',
    broken: 'several drop each other’s tables',
    edits: [
      {
        file: 'consumers/runtime/tables/inbox/partitions.ts',
        find: 'if (!rows[0]?.held) return { busy: true }',
        replace: '',
      },
    ],
    noticedBy: { file: inboxTest, title: 'several processes maintain it at once' },
  },
]
