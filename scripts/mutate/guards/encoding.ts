import type { Mutation } from '../mutation.ts'

const relayTest = 'producers/outbox/relay.int.test.ts'

/** Events that are encoded once arrive as they were decided. */
export const encoding: readonly Mutation[] = [
  {
    name: 'pieces-keep-their-row',
    guard: 'the last piece of a batch that was cut removes its row',
    broken: 'the row stays and is published again by the next owner',
    edits: [
      {
        file: 'producers/outbox/relay.ts',
        find: 'first: first.rowFirst ?? first.first',
        replace: 'first: first.first',
      },
    ],
    noticedBy: { file: relayTest, title: 'a row the broker refuses holds up its own lane only' },
  },
  {
    name: 'joined-offsets',
    guard: 'records that join others get the offsets that follow',
    broken: 'they keep theirs, and the broker refuses the batch',
    edits: [
      {
        file: 'infra/kafka/patches/produce/packed-records.ts',
        find: 'else writer.moved(body, count)',
        replace: 'else writer.raw(body)',
      },
    ],
    noticedBy: {
      file: 'infra/kafka/patches/produce/packed-records.test.ts',
      title: 'packed, joined and cut, records are the same in the same order, and within the limits',
    },
  },
  {
    name: 'outdated-writer',
    guard: 'a replica of a version with the old outbox writes nothing',
    broken: 'its events stay in a table that no one publishes',
    edits: [
      {
        file: 'producers/outbox/sql/004_batches.sql',
        find: 'create trigger outdated before insert on outbox for each statement execute function refuse_outdated();',
        replace: '',
      },
    ],
    noticedBy: {
      file: 'producers/outbox/batches-migration.int.test.ts',
      title: 'events that an older version left in its outbox stay, and it can write no more',
    },
  },
]
