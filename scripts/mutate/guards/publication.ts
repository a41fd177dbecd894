import type { Mutation } from '../mutation.ts'

const feed = 'producers/outbox/lane-feed.ts'
const feedTest = 'producers/outbox/lane-feed.test.ts'
const forgetKeys = 'producers/orders-api/orders/forget-keys.ts'
const forgetKeysTest = 'producers/orders-api/orders/forget-keys.int.test.ts'
const relayTest = 'producers/outbox/relay.int.test.ts'
const sender = 'infra/kafka/record-sender.ts'
const senderTest = 'infra/kafka/record-sender.int.test.ts'
const semanticsTest = 'consumers/runtime/semantics.int.test.ts'

/** Every committed event is published, in order, and no other event is. */
export const publication: readonly Mutation[] = [
  {
    name: 'publish-before-commit',
    guard: 'only committed events are published',
    broken: 'events are published while the transaction is open',
    edits: [
      {
        file: 'consumers/runtime/lane/lane.ts',
        find: 'own: { lane, epoch }',
        replace: 'own: { lane, epoch, early: (done: any) => (this.work as any)?.feed.offer(done.publish) } as any',
      },
      { file: 'consumers/runtime/lane/owned-work.ts', find: 'this.feed.offer(publish)', replace: '' },
      {
        file: 'consumers/runtime/batch/process-batch.ts',
        find: 'applyBatches(tx, context, work))',
        replace:
          'applyBatches(tx, context, work).then((all: any) => all.map((done: any) => (done.own.early?.(done), done))))',
      },
    ],
    noticedBy: {
      file: semanticsTest,
      title: 'what the database refuses only at the commit is neither published nor asked for',
    },
  },
  {
    name: 'call-before-commit',
    guard: 'calls are made after the commit',
    broken: 'they are made while the transaction is open',
    edits: [
      {
        file: 'consumers/runtime/lane/lane.ts',
        find: 'own: { lane, epoch }',
        replace:
          'own: { lane, epoch, early: (done: any) => (this.work as any)?.calls.offer(done.outcome.calls) } as any',
      },
      { file: 'consumers/runtime/lane/owned-work.ts', find: 'this.calls.offer(calls)', replace: '' },
      {
        file: 'consumers/runtime/batch/process-batch.ts',
        find: 'applyBatches(tx, context, work))',
        replace:
          'applyBatches(tx, context, work).then((all: any) => all.map((done: any) => (done.own.early?.(done), done))))',
      },
    ],
    noticedBy: {
      file: semanticsTest,
      title: 'what the database refuses only at the commit is neither published nor asked for',
    },
  },
  {
    name: 'delete-before-ack',
    guard: 'a row is deleted after the broker has acknowledged it',
    broken: 'it is deleted before it is sent',
    edits: [
      {
        file: 'producers/outbox/relay.ts',
        find: 'await this.sendWatched(request)',
        replace: `await removePublished(this.options.pool, new Map([...request].map(([{ lane }, own]) => [lane, { first: 0, last: own.at(-1)?.last ?? 0 }])))
        await this.sendWatched(request)`,
      },
    ],
    noticedBy: { file: relayTest, title: 'a row the broker refuses holds up its own lane only' },
  },
  {
    name: 'deletes-behind',
    guard: 'rows are deleted up to the acknowledged number',
    broken: 'later rows are deleted, too',
    edits: [
      {
        file: 'producers/outbox/outbox-table.ts',
        find: 'first_seq between published.first and published.last\n     and last_seq <= published.last',
        replace: 'first_seq >= published.first',
      },
    ],
    noticedBy: { file: relayTest, title: 'rows leave up to the number the broker has, in their own lane' },
  },
  {
    name: 'deletes-from-the-first',
    guard: 'a deletion begins at the first row of its range',
    broken: 'it walks over the entries of all rows deleted before',
    edits: [
      {
        file: 'producers/outbox/outbox-table.ts',
        find: 'first_seq between published.first and published.last',
        replace: 'first_seq <= published.last',
      },
    ],
    noticedBy: { file: relayTest, title: 'removing rows does not visit the index entries of rows removed before' },
  },
  {
    name: 'forgets-undeleted',
    guard: 'rows whose deletion failed are deleted with the next',
    broken: 'they stay until another owner publishes them again',
    edits: [
      {
        file: 'producers/outbox/relay.ts',
        find: 'for (const [lane, range] of ranges) this.note(lane, range)',
        replace: '',
      },
    ],
    noticedBy: { file: relayTest, title: 'rows that could not be deleted leave with the next rows of their lane' },
  },
  {
    name: 'sweep-forgets-its-place',
    guard: 'the sweep over old keys continues where the last replica stopped',
    broken: 'it begins again with each turn',
    edits: [{ file: forgetKeys, find: '[end < turn.blocks ? end : 0,', replace: '[0,' }],
    noticedBy: {
      file: forgetKeysTest,
      title: 'keys leave after a week, a slice at a time, with every replica continuing where the last one stopped',
    },
  },
  {
    name: 'sweep-by-all',
    guard: 'one replica has a turn of the sweep',
    broken: 'all replicas sweep at once',
    edits: [{ file: forgetKeys, find: ' for update skip locked', replace: '' }],
    noticedBy: {
      file: forgetKeysTest,
      title: 'a turn is taken by one of several replicas, and the next one only when it is due',
    },
  },
  {
    name: 'outbox-by-id',
    guard: 'the outbox is read by number',
    broken: 'it is read in the order of event ids',
    edits: [
      {
        file: 'producers/outbox/outbox-table.ts',
        find: 'held < $4 order by first_seq`',
        replace: 'held < $4 order by first_seq desc`',
      },
    ],
    noticedBy: { file: relayTest, title: 'what the table holds is published in order and deleted' },
  },
  {
    name: 'numbers-without-lock',
    guard: 'numbers are assigned under the locks of the lanes',
    broken: 'two replicas of the API assign the same number',
    edits: [
      {
        file: 'producers/outbox/lane-table.ts',
        find: 'where lane = any($1) and generation = $2 order by lane for update',
        replace: 'where lane = any($1) and generation = $2 order by lane',
      },
    ],
    noticedBy: {
      file: 'producers/orders-api/orders/order-book.int.test.ts',
      title: 'numbers events without a gap, however many replicas write at once',
    },
  },
  {
    name: 'outbox-not-taken-over',
    guard: 'a new owner publishes the events in the table',
    broken: 'it publishes only events that it decided itself',
    edits: [{ file: feed, find: 'private behind = true', replace: 'private behind = false' }],
    noticedBy: { file: relayTest, title: 'what the table holds is published in order and deleted' },
  },
  {
    name: 'gap-in-memory',
    guard: 'a gap in the offered events is filled from the table',
    broken: 'it is skipped',
    edits: [{ file: feed, find: 'next.first === this.lastSeq + 1 &&', replace: 'next.first > this.lastSeq &&' }],
    noticedBy: { file: feedTest, title: 'a gap in what is offered is filled from the table' },
  },
  {
    name: 'producer-kept',
    guard: 'a producer is replaced after an error',
    broken: 'it continues with its old sequence numbers',
    edits: [
      { file: sender, find: 'await this.stop()\n      throw explained(error)', replace: 'throw explained(error)' },
    ],
    noticedBy: {
      file: senderTest,
      title:
        'records whose acknowledgement is lost are sent again by a new producer, which the broker does not take for a repeat',
    },
  },
  {
    name: 'partition-missing',
    guard: 'an acknowledgement names every partition',
    broken: 'a partition that it does not name counts as written',
    edits: [{ file: sender, find: 'if (missing)\n', replace: 'if (missing && places.length === 0)\n' }],
    noticedBy: {
      file: senderTest,
      title: 'an answer that does not name a partition is no acknowledgement, and sending again works',
    },
  },
  {
    name: 'large-rows-in-memory',
    guard: 'the batches in memory are bounded in bytes',
    broken: 'batches of 1 MB fill the memory while Kafka is down',
    edits: [{ file: feed, find: 'this.waitingBytes + bytesOf(batches) <= limit.bytes', replace: 'true' }],
    noticedBy: {
      file: feedTest,
      title: 'batches of 1 MB in %i lanes keep 64 MB and one of each lane in memory at most, and none is lost',
    },
  },
  {
    name: 'page-cut-by-bytes',
    guard: 'a page that its bytes have cut short is not the last one',
    broken: 'the rows after it wait for other traffic',
    edits: [{ file: feed, find: ' || bytesOf(page) >= limit.bytes', replace: '' }],
    noticedBy: {
      file: feedTest,
      title: 'batches of 1 MB in %i lanes keep 64 MB and one of each lane in memory at most, and none is lost',
    },
  },
  {
    name: 'two-requests',
    guard: 'a producer has one request in flight',
    broken: 'a second request may overtake the first',
    edits: [{ file: sender, find: 'if (this.sending)\n', replace: 'if (this.sending && places.length === 0)\n' }],
    noticedBy: { file: senderTest, title: 'two requests at a time are refused before anything is sent' },
  },
]
