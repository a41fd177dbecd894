import type { Mutation } from '../mutation.ts'

const ledger = 'consumers/runtime/tables/ledger.ts'
const lanes = 'producers/outbox/lane-table.ts'
const ownershipTest = 'consumers/runtime/ownership.int.test.ts'

/** Only the owner of a lane writes its state. */
export const ownership: readonly Mutation[] = [
  {
    name: 'epoch-check',
    guard: 'the lane is locked at its epoch',
    broken: 'a former owner can still write',
    edits: [
      {
        file: lanes,
        find: 'select next_seq from lane where lane = $1 and epoch = $2 for update',
        replace: 'select next_seq from lane where lane = $1 and $2::bigint is not null for update',
      },
    ],
    noticedBy: { file: ownershipTest, title: 'an owner with an older epoch is refused' },
  },
  {
    name: 'lane-unlocked',
    guard: 'the row of a lane stays locked until the commit',
    broken: 'the next owner begins before the transaction of the former one has ended',
    edits: [
      {
        file: lanes,
        find: 'select next_seq from lane where lane = $1 and epoch = $2 for update',
        replace: 'select next_seq from lane where lane = $1 and epoch = $2',
      },
    ],
    noticedBy: {
      file: ownershipTest,
      title: 'a new owner waits for the transaction of the old owner and begins after it',
    },
  },
  {
    name: 'epoch-steal',
    guard: 'a lane is claimed again only at its own epoch',
    broken: 'a former owner takes the lane back',
    edits: [{ file: lanes, find: '($3::bigint is null or l.epoch = $3)', replace: '($3::bigint is null or true)' }],
    noticedBy: { file: ownershipTest, title: 'an owner with an older epoch is refused' },
  },
  {
    name: 'fenced-claims-at-once',
    guard: 'a fenced lane waits until the group confirms it',
    broken: 'it is claimed again at once',
    edits: [
      {
        file: 'consumers/runtime/lane/lane.ts',
        find: "this.phase = 'fenced'\n    this.fencedAt = performance.now()",
        replace: "this.phase = 'claiming'\n    void this.claim()",
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/lane/lane.int.test.ts',
      title: 'a fenced lane is not claimed again before the group confirms it',
    },
  },
  {
    name: 'ledger-read-early',
    guard: 'the ledger is read after the epoch is raised',
    broken: 'it is read before the former owner has ended',
    edits: [
      {
        file: ledger,
        find: 'const lastSpans = prepared<',
        replace:
          'const early: Map<number, any[]> = ((globalThis as any).early ??= new Map())\nconst lastSpans = prepared<',
      },
      {
        file: lanes,
        find: 'const [row] = await raise(tx, lane, owner, heldEpoch ?? null, generation ?? null)',
        replace: `;((globalThis as any).early ??= new Map()).set(lane, (await tx.query('select distinct on (topic) * from ledger where partition = $1 order by topic, epoch desc', [lane])).rows)
  const [row] = await raise(tx, lane, owner, heldEpoch ?? null, generation ?? null)`,
      },
      {
        file: ledger,
        find: 'new Map((await lastSpans(tx, own.lane, names)).map(',
        replace: 'new Map((early.get(own.lane) ?? (await lastSpans(tx, own.lane, names))).map(',
      },
    ],
    noticedBy: {
      file: ownershipTest,
      title: 'a new owner waits for the transaction of the old owner and begins after it',
    },
  },
  {
    name: 'foreign-type-handled',
    guard: 'an event counts only on the topic of its type',
    broken: 'it counts on any topic',
    edits: [
      {
        file: 'consumers/runtime/batch/read-records.ts',
        find: 'if (event && !carries(topic, event.type))',
        replace: 'if (event && !carries(topic, event.type) && void event)',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/semantics.int.test.ts',
      title: 'an event on a topic that is not of its type is parked and holds up no event of its key',
    },
  },
  {
    name: 'misrouted-handled',
    guard: 'every key has one lane',
    broken: 'a key in a wrong partition is processed there',
    edits: [
      {
        file: 'consumers/runtime/batch/read-records.ts',
        find: 'if (event && laneOf(key, partitions) !== lane) {',
        replace: 'if (event && partition < 0) {',
      },
    ],
    noticedBy: {
      file: 'consumers/runtime/semantics.int.test.ts',
      title: 'an event in the lane of another key is parked, not handled by the wrong owner',
    },
  },
]
