import { describe, expect, test } from '@jest/globals'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { counts, ledgerSums, published } from '../../../runtime/testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import { redeliver } from './redeliver.ts'
import { readRedelivered } from '../../../runtime/tables/ledger-account.ts'
import { moveBack } from './redelivered-spans.ts'
import { openReplayOf, rangesOf } from '../testing/replay-of.ts'

const group = 'tester'
const open = () => openTestBench(group, countTable)

describe('redelivering everything', () => {
  test('changes nothing, says so in figures, and leaves the group where it was, with live events flowing', async () => {
    await using bench = await open()
    await bench.replica(tallyConsumer(group))
    await bench.publish(orders(30))
    await bench.settled(['orders'])
    const before = await counts(bench)

    await using replay = await openReplayOf(bench, tallyConsumer(group), await rangesOf(bench, 'orders'))
    const live = orders(10)
    await Promise.all([redeliver.run(replay.context, replay.run), bench.publish(live)])

    expect(replay.figures()).toEqual({ taken: 0, duplicates: 30, ignored: 0, parked: 0 })
    expect(replay.progress()).toEqual({ next: 30, scanned: 30 })
    await bench.settled(['orders'])
    const after = await counts(bench)
    expect(after.size).toBe(40)
    expect([...after].filter(([key]) => before.has(key))).toEqual([...before])
    expect(await ledgerSums(bench)).toEqual({ taken: 40, duplicates: 30, ignored: 0, parked: 0, offsets: 70 })
    expect(await published(bench, 'inventory')).toHaveLength(40)
  })

  test('is noticed by replicas whose lanes are quiet, and by those that come later', async () => {
    await using bench = await open()
    const first = await bench.replica(tallyConsumer(group))
    await bench.publish(orders(12))
    await bench.settled(['orders'])
    await first.stop()
    await using replay = await openReplayOf(bench, tallyConsumer(group), await rangesOf(bench, 'orders'))
    const running = redeliver.run(replay.context, replay.run)
    await waitUntil('the group was moved back', async () => (await readAgain(bench.pool)) === 3)
    await bench.replica(tallyConsumer(group))
    await running
    expect(replay.figures()).toMatchObject({ taken: 0, duplicates: 12 })
  })

  test('takes what the inbox lacks, and nothing else', async () => {
    await using bench = await open()
    await bench.replica(tallyConsumer(group))
    const placed = orders(9)
    await bench.publish(placed)
    await bench.settled(['orders'])
    // As if one had been lost: the books say it was taken, but it took no effect
    const lost = placed[4]!.data.orderId
    await bench.pool.query('delete from count where key = $1', [lost])
    await bench.pool.query(
      'delete from inbox where event_id = (select event_id from inbox order by event_id limit 1 offset 4)',
    )
    await using replay = await openReplayOf(bench, tallyConsumer(group), await rangesOf(bench, 'orders'))
    await redeliver.run(replay.context, replay.run)
    expect(replay.figures()).toMatchObject({ taken: 1, duplicates: 8 })
  })
})

test('a part of what was taken is taken again; then the lane goes on where it was, not where the part ends', async () => {
  await using bench = await open()
  await bench.replica(tallyConsumer(group))
  await bench.publish(orders(60))
  await bench.settled(['orders'])
  const ranges = (await rangesOf(bench, 'orders')).map((range) => ({ ...range, from: 2, to: 6 }))
  await using replay = await openReplayOf(bench, tallyConsumer(group), ranges)
  await redeliver.run(replay.context, replay.run)
  expect(replay.figures()).toMatchObject({ taken: 0, duplicates: 4 * ranges.length })
  await bench.publish(orders(6))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 66, duplicates: 4 * ranges.length })
})

test('stopped half way it puts the group back; resumed it goes on where it was', async () => {
  await using bench = await open()
  const first = await bench.replica(tallyConsumer(group))
  await bench.publish(orders(20))
  await bench.settled(['orders'])
  await first.stop() // Nobody takes anything, so that it cannot be through before it is stopped
  await using replay = await openReplayOf(bench, tallyConsumer(group), await rangesOf(bench, 'orders'))
  const running = redeliver.run(replay.context, replay.run)
  await waitUntil('the group was moved back', async () => (await readAgain(bench.pool)) === 3)
  replay.stop()
  await expect(running).rejects.toThrow('stopped by the test')
  expect(await readAgain(bench.pool)).toBe(0)

  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  const resumed = await replay.resumed()
  await redeliver.run(replay.context, resumed.run)
  expect(resumed.figures()).toMatchObject({ taken: 0, duplicates: 20 })
})

test('a runner that was killed leaves lanes that go on by themselves, and a resume finds out how far they are', async () => {
  await using bench = await open()
  await bench.replica(tallyConsumer(group))
  await bench.publish(orders(20))
  await bench.settled(['orders'])
  await using replay = await openReplayOf(bench, tallyConsumer(group), await rangesOf(bench, 'orders'))
  for (const [lane, ranges] of Map.groupBy(replay.run.partitions, ({ partition }) => partition))
    await inTransaction(replay.context.pool, (tx) => moveBack(tx, replay.run.id, lane, ranges))
  await waitUntil('the lanes are through', async () => {
    const again = await readRedelivered(bench.pool, replay.run.id)
    return again.reduce((sum, { duplicates }) => sum + duplicates, 0) === 20
  })
  const resumed = await replay.resumed()
  await redeliver.run(replay.context, resumed.run)
  expect(resumed.figures()).toMatchObject({ taken: 0, duplicates: 20 })
  expect(await readAgain(bench.pool)).toBe(0)
  expect(await ledgerSums(bench)).toMatchObject({ duplicates: 20 })
})

test('events that retention deletes meanwhile end it, and the lanes go on where they were', async () => {
  await using bench = await open()
  const first = await bench.replica(tallyConsumer(group))
  await bench.publish(orders(30))
  await bench.settled(['orders'])
  await first.stop()
  const ranges = await rangesOf(bench, 'orders')
  await using replay = await openReplayOf(bench, tallyConsumer(group), ranges)
  const running = redeliver.run(replay.context, replay.run)
  await waitUntil('the group was moved back', async () => (await readAgain(bench.pool)) === 3)
  const partitions = ranges.map(({ partition, from }) => ({ partition, offset: String(from + 1) }))
  const topic = `${bench.sandbox.namespace}orders`
  await withAdmin(bench.sandbox.kafka, async (admin) => {
    await admin.fetchTopicOffsets(topic) // kafkajs deletes in topics it has heard of only
    await admin.deleteTopicRecords({ topic, partitions })
  })
  await bench.replica(tallyConsumer(group))
  await expect(running).rejects.toMatchObject({ code: 'LANE_STOPPED', message: expect.stringContaining('deleted') })
  expect(await readAgain(bench.pool)).toBe(0)
  await bench.publish(orders(6))
  await bench.settled(['orders'])
  expect((await counts(bench)).size).toBe(36)
})

test('what the group has not read yet is not moved', async () => {
  await using bench = await open()
  await bench.replica(tallyConsumer(group))
  await bench.publish(orders(5))
  await bench.settled(['orders'])
  const ranges = (await rangesOf(bench, 'orders')).map((range) => ({ ...range, to: range.to + 1 }))
  await using replay = await openReplayOf(bench, tallyConsumer(group), ranges)
  expect(await redeliver.preconditions(replay.context, replay.run.plan, {})).toHaveLength(ranges.length)
  await expect(redeliver.run(replay.context, replay.run)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
  expect(await readAgain(bench.pool)).toBe(0)
})

/** Lanes that stand back for a replay now. */
async function readAgain(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ lanes: number }>(
    `select count(*)::int as lanes from (
       select distinct on (topic, partition) next_offset, again_until from ledger order by topic, partition, epoch desc) as newest
     where next_offset < again_until`,
  )
  return rows[0]?.lanes ?? 0
}
