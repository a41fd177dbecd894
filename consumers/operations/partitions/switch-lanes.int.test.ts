import { describe, expect, test } from '@jest/globals'
import { appendOutbox } from '../../../producers/outbox/outbox-table.ts'
import { batchOf } from '../../../producers/outbox/testing/stored-events.ts'
import type { ConsumerDefinition } from '../../runtime/handler.ts'
import { lockLane, raiseEpoch } from '../../../producers/outbox/lane-table.ts'
import { startConsumer } from '../../runtime/start-consumer.ts'
import { mendable } from '../../runtime/testing/mendable.ts'
import { counts } from '../../runtime/testing/observe.ts'
import { countTable, orderPlaced } from '../../runtime/testing/tally-consumer.ts'
import type { Count } from '../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../runtime/testing/test-bench.ts'
import { createTopics } from '../../../infra/kafka/topics.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import { readTopic } from '../../../infra/testing/read-topic.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { topicName, topics } from '../../../schemas/topics.ts'
import { switchLanes } from './switch-lanes.ts'

const from = { number: 1, partitions: 3 }
const to = { number: 2, partitions: 5 }
const group = 'cut'
const hour = 3_600_000
const open = () => openTestBench(group, countTable, from.partitions, { TALLY_RETRY_FIRST_MS: '100' })

/** As `mendable`, but what `waits` does so for an hour. */
function patient(broken: () => boolean): ConsumerDefinition<Count> {
  const definition = mendable(group, broken)
  const handle = definition.handlers.OrderPlaced!
  return {
    ...definition,
    handlers: {
      OrderPlaced: (...args) => {
        const decided = handle(...args)
        return { ...decided, timers: decided.timers?.map((timer) => ({ ...timer, afterMs: timer.afterMs + hour })) }
      },
    },
  }
}

/** An order whose lane differs between the two generations. */
function moving(customerId?: string) {
  for (;;) {
    const id = newEventId()
    if (laneOf(id, from.partitions) !== laneOf(id, to.partitions)) return orderPlaced(id, customerId)
  }
}

const endsOf = async ({ sandbox: { kafka, namespace } }: TestBench) => {
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(`${namespace}orders`))
  const sorted = offsets.toSorted((a, b) => a.partition - b.partition)
  return new Map([['orders', sorted.map(({ high }) => Number(high))]])
}

const cut = async (bench: TestBench) => {
  const ends = await endsOf(bench)
  return inTransaction(bench.pool, (tx) => switchLanes(tx, { from, to, ends }))
}

const lanes = async ({ pool }: TestBench) =>
  (
    await pool.query<{ lane: number; epoch: number; next_seq: number }>(
      'select lane, epoch, next_seq from lane order by 1',
    )
  ).rows

async function startOnNext({ sandbox, config, pool, codec }: TestBench, definition: ConsumerDefinition<Count>) {
  const { namespace, kafka, log } = sandbox
  const { number: generation, partitions } = to
  const wider = topics.map((topic) => ({
    topic: topicName(namespace, topic, generation),
    numPartitions: partitions,
    replicationFactor: 1,
  }))
  await withAdmin(kafka, async (admin) => {
    await createTopics(admin, wider)
    // A broker may be told to be the leader later than everybody else
    for (const { topic } of wider)
      await waitUntil(`${topic} can be read`, () =>
        admin.fetchTopicOffsets(topic).then(
          () => true,
          () => false,
        ),
      )
  })
  const running = await startConsumer(definition, {
    ...{ config: { ...config, generation, partitions }, pool, codec, log, replica: 'next' },
  })
  return { [Symbol.asyncDispose]: () => running.stop() }
}

describe('lanes moving to the next generation of the topics', () => {
  test('what waits for a key is handled in its new lane, and sequence numbers continue without a gap', async () => {
    await using bench = await open()
    let broken = true
    const definition = patient(() => broken)
    const first = await bench.replica(definition)
    const parked = moving('throws')
    const waiting = moving('waits')
    const others = Array.from({ length: 20 }, () => moving())
    await bench.publish([parked, waiting, parked, ...others])
    await bench.settled(['orders'])
    await first.stop()
    const before = await lanes(bench)

    expect(await cut(bench)).toEqual({ parked: 2, timer: 1, call: 0 })
    const after = await lanes(bench)
    expect(after.slice(0, from.partitions)).toEqual(before.map((lane) => ({ ...lane, epoch: lane.epoch + 1 })))
    expect(after).toHaveLength(to.partitions)

    broken = false
    await bench.pool.query('update timer set due_at = now()')
    await bench.pool.query('update parked set next_attempt_at = now() where reason <> $1', ['BEHIND'])
    await using _next = await startOnNext(bench, definition)
    await waitUntil('what waited is handled', async () => {
      const { rowCount } = await bench.pool.query(
        'select id::text from parked union all select id::text from timer union all select first_seq::text from outbox_batch',
      )
      return rowCount === 0
    })
    const all = await counts(bench)
    expect(all.get(parked.data.orderId)).toMatchObject({ placed: 2 })
    expect(all.get(waiting.data.orderId)).toMatchObject({ placed: 1, fired: 1 })

    const numbers = (records: Awaited<ReturnType<typeof readTopic>>) =>
      records.map(({ headers }) => `${String(headers?.['ce_sourcelane'])} ${String(headers?.['ce_sequence'])}`)
    const { kafka, namespace } = bench.sandbox
    const old = await readTopic(kafka, `${namespace}inventory`)
    const fresh = await readTopic(kafka, `${namespace}inventory.g2`)
    expect(fresh).toHaveLength(2)
    const expected = (await lanes(bench)).flatMap(({ lane, next_seq: end }) =>
      Array.from({ length: Number(end) - 1 }, (_, index) => `${group}/${lane} ${index + 1}`),
    )
    expect(numbers([...old, ...fresh]).toSorted()).toEqual(expected.toSorted())
  })

  test('an owner that knows nothing of it is fenced', async () => {
    await using bench = await open()
    const old = await bench.replica(patient(() => false))
    await bench.publish([moving()])
    await bench.settled(['orders'])
    await old.stop()
    const [before] = await lanes(bench)
    await cut(bench)
    const [after] = await lanes(bench)
    const write = (epoch = 0) => inTransaction(bench.pool, (tx) => lockLane(tx, { lane: 0, epoch }))
    await expect(write(before?.epoch)).rejects.toMatchObject({ code: 'FENCED' })
    expect(await write(after?.epoch)).toBe(after?.next_seq)
    await expect(raiseEpoch(bench.pool, 0, 'old', undefined, from.number)).rejects.toMatchObject({ code: 'FENCED' })
    expect(await raiseEpoch(bench.pool, 0, 'new', undefined, to.number)).toBeGreaterThan(after?.epoch ?? 0)
  })

  test('a record that lay in a wrong lane does not get ahead of its key', async () => {
    await using bench = await open()
    const misrouted = moving()
    const { orderId } = misrouted.data
    await bench.pool.query(`insert into parked (lane, key, source, reason) values ($1, $2, 'record', 'MISROUTED')`, [
      laneOf(orderId, to.partitions),
      orderId,
    ])
    await expect(cut(bench)).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: 'parked event 1 lies in a wrong lane: publish it again or drop it first',
    })
  })

  test('nothing is left in a lane that ends', async () => {
    await using bench = await open()
    await bench.pool.query(
      `insert into parked (lane, key, source, reason) values (2, 'orders/2/9', 'record', 'UNREADABLE')`,
    )
    const fewer = inTransaction(bench.pool, (tx) =>
      switchLanes(tx, { from, to: { number: 2, partitions: 2 }, ends: new Map() }),
    )
    await expect(fewer).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: 'parked event 1 waits in lane 2, which ends: drop it first',
    })
  })

  test.each([
    ['unread events', async (bench: TestBench) => bench.publish([moving()]), /^not read to the end: orders\/\d/],
    [
      'a paused lane',
      ({ pool }: TestBench) => pool.query(`insert into pause (lane, reason, actor) values (1, 'audit', 'me')`),
      /^lane 1 is paused \(audit\)/,
    ],
    [
      'events not published',
      ({ pool }: TestBench) => appendOutbox(pool, [batchOf(0, 1, { topic: 'inventory' })]),
      /^1 events wait to be published/,
    ],
  ])('does not happen over %s, and then nothing has changed', async (_what, leave, sentence) => {
    await using bench = await open()
    await leave(bench)
    await expect(cut(bench)).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: expect.stringMatching(sentence),
    })
    expect(await lanes(bench)).toEqual([])
  })
})
