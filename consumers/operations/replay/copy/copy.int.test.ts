import { describe, expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import { createTopics } from '../../../../infra/kafka/topics.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { openRangeReader } from '../../../../infra/kafka/read-ranges.ts'
import { laneOf } from '../../../../schemas/partition.ts'
import { countTable, orders } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../../runtime/testing/test-bench.ts'
import { readByConsumers } from './preconditions.ts'
import type { RunOptions } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { resumeReplay, startReplay } from '../run/run-replay.ts'
import { beginRun, readProgress, readReplays } from '../run/replay-table.ts'
import { undoReplay } from '../run/control-replay.ts'
import { openReplayFrame } from '../testing/replay-frame.ts'
import { rangesOf } from '../testing/replay-of.ts'

const by = { actor: 'ada' }
const open = () => openTestBench('tester', countTable)

const createTopic = ({ sandbox: { kafka, namespace } }: TestBench, topic: string, numPartitions: number) =>
  withAdmin(kafka, (admin) =>
    createTopics(admin, [{ topic: `${namespace}${topic}`, numPartitions, replicationFactor: 1 }]),
  )

/** All records of a topic, each with its partition. */
async function read(bench: TestBench, topic: string) {
  const { kafka, namespace } = bench.sandbox
  const found = (await rangesOf(bench, topic)).toSorted((a, b) => a.partition - b.partition)
  const ranges = found.map((range) => ({ ...range, topic: `${namespace}${topic}` }))
  await using reader = await openRangeReader({ kafka, ranges, signal: new AbortController().signal })
  const all = []
  for (const range of ranges)
    for (let piece = await reader.next(range.topic, range.partition); piece; ) {
      all.push(...piece.records.map((record) => ({ ...record, partition: range.partition })))
      piece = await reader.next(range.topic, range.partition)
    }
  return all
}

/** Copies what `source` holds to `aside`. */
async function copying(bench: TestBench, source: string, more: Partial<Plan> = {}) {
  const frame = await openReplayFrame(bench)
  const plan = await frame.plan([source], { mode: 'copy', toTopic: 'aside', ...more })
  return {
    context: frame.context,
    plan,
    start: (options: RunOptions = {}) => startReplay(frame.context, plan, options, by),
    [Symbol.asyncDispose]: () => frame[Symbol.asyncDispose](),
  }
}

describe('copying', () => {
  test('keeps partition, order, key, value, time and every header, and names the source', async () => {
    await using bench = await open()
    await createTopic(bench, 'raw', 3)
    await createTopic(bench, 'aside', 3)
    await bench.publish(orders(20))
    const odd = { a: ['1', '2'], empty: '', bytes: Buffer.from([0, 255]), 'tally-replay': 'of before' }
    await bench.publishRaw('orders', { key: null, value: null, headers: odd, partition: 1 })
    await using replay = await copying(bench, 'orders')
    const end = await replay.start()
    expect(end).toMatchObject({ state: 'done', selected: 21, figures: { copied: 21 } })
    const originals = await read(bench, 'orders')
    const copies = await read(bench, 'aside')
    expect(copies).toHaveLength(21)
    for (const [index, { partition, offset, key, value, timestamp, headers }] of originals.entries()) {
      const named = {
        'tally-replay': Buffer.from(String(end.id)),
        'tally-replay-source': Buffer.from(`orders/${partition}@${offset}`),
      }
      const made = copies[index]!
      expect([made.partition, made.timestamp]).toEqual([partition, timestamp])
      expect([made.key, made.value]).toEqual([key, value])
      expect(made.headers).toEqual({ ...headers, ...named })
    }
    await expect(undoReplay(replay.context, end.id)).rejects.toThrow('copy cannot be undone')
  })

  test('chooses, and finds the lane of a key where the target has other partitions', async () => {
    await using bench = await open()
    await createTopic(bench, 'aside', 7)
    const placed = orders(30)
    await bench.publish(placed)
    const keys = placed.slice(0, 11).map(({ data }) => data.orderId)
    await using replay = await copying(bench, 'orders', { selector: { keys } })
    expect(await replay.start()).toMatchObject({ state: 'done', scanned: 30, selected: 11, figures: { copied: 11 } })
    const copies = await read(bench, 'aside')
    expect(copies.map(({ key }) => key!.toString()).sort()).toEqual([...keys].sort())
    for (const { key, partition } of copies) expect(partition).toBe(laneOf(key!.toString(), 7))
  })

  test('stopped by a signal and resumed it has copied each event once', async () => {
    await using bench = await open()
    await createTopic(bench, 'aside', 3)
    await bench.publish(orders(40))
    await using replay = await copying(bench, 'orders')
    const signal = new AbortController()
    const onProgress = () => signal.abort()
    const stopped = await startReplay(
      replay.context,
      replay.plan,
      { rate: 5 }, // Slow enough to be stopped half way, however busy the machine is
      { ...by, signal: signal.signal, onProgress },
    )
    expect(stopped).toMatchObject({ state: 'paused', because: 'signal' })
    expect(stopped.selected).toBeGreaterThan(0)
    expect(stopped.selected).toBeLessThan(40)
    expect(await read(bench, 'aside')).toHaveLength(stopped.selected)
    expect(await resumeReplay(replay.context, stopped.id, { rate: 1_000 })).toMatchObject({
      state: 'done',
      selected: 40,
    })
    const sources = (await read(bench, 'aside')).map(({ headers }) => String(headers!['tally-replay-source']))
    expect(new Set(sources).size).toBe(40)
    expect(sources).toHaveLength(40)
  })

  test('killed between writing and saving it writes that step again, and no more', async () => {
    await using bench = await open()
    await createTopic(bench, 'aside', 3)
    await bench.publish(orders(40))
    await using replay = await copying(bench, 'orders')
    const { pool } = replay.context
    let id = 0
    // Whoever is fenced has written what it cannot save, as if it had been killed then
    const fence = () => void beginRun(pool, id, 'another', { state: 'running', options: {} }).catch(() => {})
    const onProgress = ({ selected }: { selected: number }) => selected > 0 && fence()
    const cut = startReplay(
      replay.context,
      replay.plan,
      { rate: 40 },
      { ...by, onBegin: (it) => (id = it), onProgress },
    )
    await expect(cut).rejects.toMatchObject({ code: 'FENCED' })
    const { selected } = await readProgress(pool, id)
    expect(await read(bench, 'aside')).toHaveLength(selected + 4)
    expect(await resumeReplay(replay.context, id, { rate: 1_000 })).toMatchObject({ state: 'done', selected: 40 })
    const sources = (await read(bench, 'aside')).map(({ headers }) => String(headers!['tally-replay-source']))
    expect(new Set(sources).size).toBe(40)
    expect(sources).toHaveLength(44)
  })

  test('goes through a topic that takes small batches only', async () => {
    await using bench = await open()
    await createTopic(bench, 'aside', 3)
    const { kafka, namespace } = bench.sandbox
    await withAdmin(kafka, (admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: `${namespace}aside`,
            configEntries: [{ name: 'max.message.bytes', value: '3000' }],
          },
        ],
      }),
    )
    await bench.publish(orders(40))
    await using replay = await copying(bench, 'orders')
    expect(await replay.start()).toMatchObject({ state: 'done', figures: { copied: 40 } })
    expect(await read(bench, 'aside')).toHaveLength(40)
  })
})

test('the topic to write to is created where that is wanted, and one that exists stays as it is', async () => {
  await using bench = await open()
  await bench.publish(orders(20))
  await using replay = await copying(bench, 'orders')
  expect(await replay.start({ createTopic: true })).toMatchObject({ state: 'done', figures: { copied: 20 } })
  const partitionOf = (records: Awaited<ReturnType<typeof read>>) =>
    records.map(({ partition, key }) => `${partition} ${String(key)}`).toSorted()
  expect(partitionOf(await read(bench, 'aside'))).toEqual(partitionOf(await read(bench, 'orders')))
  await using again = await copying(bench, 'orders')
  expect(await again.start({ createTopic: true })).toMatchObject({ state: 'done', figures: { copied: 20 } })
  expect(await read(bench, 'aside')).toHaveLength(40)
})

describe('nothing is copied', () => {
  test('onto itself, or to a topic that does not exist', async () => {
    await using bench = await open()
    await bench.publish(orders(2))
    await using replay = await copying(bench, 'orders')
    await expect(replay.start()).rejects.toThrow(/there is no topic .*aside: .* makes it with --create-topic/)
    await using odd = await copying(bench, 'orders', { toTopic: 'bad topic!' })
    await expect(odd.start({ createTopic: true })).rejects.toThrow('is no name of a topic')
    await using next = await copying(bench, 'orders', { toTopic: 'payments.g2' })
    await expect(next.start({ createTopic: true })).rejects.toThrow('creates no topic of the pipeline')
    await using onto = await copying(bench, 'orders', { toTopic: 'orders' })
    await expect(onto.start({ skipFailed: true })).rejects.toThrow('cannot be copied onto itself')
    expect(await readReplays(replay.context.pool, 9)).toEqual([])
  })

  test('that retention has deleted meanwhile: it is not resumed, and what it has copied stays', async () => {
    await using bench = await open()
    await createTopic(bench, 'aside', 3)
    await bench.publish(orders(30))
    await using replay = await copying(bench, 'orders')
    const first = await replay.start({ max: 4 })
    expect(first).toMatchObject({ state: 'paused', selected: 4 })
    const { kafka, namespace } = bench.sandbox
    const ends = (await rangesOf(bench, 'orders')).map(({ partition, to }) => ({ partition, offset: String(to) }))
    await withAdmin(kafka, async (admin) => {
      await admin.fetchTopicOffsets(`${namespace}orders`) // kafkajs deletes in topics it has heard of only
      await admin.deleteTopicRecords({ topic: `${namespace}orders`, partitions: ends })
    })
    await expect(resumeReplay(replay.context, first.id, { acceptDrift: true, acceptLost: true })).rejects.toThrow(
      /retention has deleted offsets \d+ to \d+ of orders\/\d since the plan was made/,
    )
    expect((await readReplays(replay.context.pool, 9)).map(({ state }) => state)).toEqual(['paused'])
    expect(await read(bench, 'aside')).toHaveLength(4)
  })

  test('to a topic of the pipeline where its consumers would park or repeat it', () => {
    const schemas = [{ id: 1, type: 'OrderPlaced', records: 3, parked: 0, outbox: 0, unreadable: null }]
    const plan = { schemas, unframed: 0, partitions: [{ firstTime: 1_000 }] } as unknown as Plan
    expect(readByConsumers('aside', plan, 2_000)).toEqual([])
    expect(readByConsumers('orders', plan, 2_000)).toEqual([])
    expect(readByConsumers('payments', plan, 2_000)).toEqual([expect.stringContaining('would park')])
    expect(readByConsumers('orders', { ...plan, unframed: 1 }, 2_000)).toHaveLength(1)
    expect(readByConsumers('orders', plan, 100 * 24 * 3_600_000)).toEqual([
      expect.stringContaining('take effect twice'),
    ])
  })
})
