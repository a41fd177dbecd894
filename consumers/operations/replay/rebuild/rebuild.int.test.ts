import { expect, test } from '@jest/globals'
import { consumerVersion } from '../../../runtime/load-consumer.ts'
import type { TestBench } from '../../../runtime/testing/test-bench.ts'
import type { ReplayRun } from '../mode.ts'
import { rebuild } from './rebuild.ts'
import {
  by,
  definition,
  everything,
  open,
  orderOf,
  rows,
  schemasLeft,
  statuses,
  stories,
  topics,
} from './testing/order-stories.ts'
import { schemasOf } from './tables-aside.ts'
import { startReplay } from '../run/run-replay.ts'
import { undoReplay } from '../run/control-replay.ts'
import { openReplayFrame } from '../testing/replay-frame.ts'
import { openReplayOf } from '../testing/replay-of.ts'

/** Reads as the API does until it is stopped: `at` must be there all the time. */
function keepReading({ pool }: TestBench, orderId: string) {
  let goOn = true
  let reads = 0
  const gaps: unknown[] = []
  const reading = (async () => {
    while (goOn) {
      const [order, timeline] = await Promise.all([
        pool.query({ name: 'reads', text: 'select entries from order_status where order_id = $1', values: [orderId] }),
        pool.query({ name: 'lists', text: 'select seq from timeline where order_id = $1', values: [orderId] }),
      ])
      reads++
      if (order.rows[0]?.entries !== 3 || timeline.rows.length !== 3) gaps.push([order.rows, timeline.rows])
    }
  })().catch((error: unknown) => gaps.push(String(error)))
  return {
    async stop() {
      goOn = false
      await reading
      return { reads, gaps }
    },
  }
}

test('the tables are filled anew and swapped in while events flow and readers read, and put back by undo', async () => {
  await using bench = await open()
  await bench.replica(definition)
  const before = stories(20)
  await bench.publish(before)
  await bench.settled(topics)
  await using frame = await openReplayFrame(bench, definition)
  const { context } = frame
  const plan = await frame.plan(topics, { mode: 'rebuild' })
  const since = stories(5)
  await bench.publish(since)
  await bench.settled(topics)
  const right = await rows(bench)
  await bench.pool.query(`update order_status set status = 'wrong', updated_at = now()`)
  const reader = keepReading(bench, orderOf(before[0]!))

  const during = stories(20)
  const flowing = bench.publish(during)
  const end = await startReplay(context, plan, {}, by)
  await flowing
  await bench.settled(topics)
  expect(end).toMatchObject({ state: 'done', figures: { swapped: 1 } })
  expect(end.figures['foldedLocked']).toBeGreaterThanOrEqual(since.length)
  expect(
    (await rows(bench)).filter((row) =>
      (right as { order_id: string }[]).some(({ order_id }) => order_id === (row as { order_id: string }).order_id),
    ),
  ).toEqual(right)
  expect(await statuses(bench)).toEqual({ ready: 45 })

  const after = stories(5)
  await bench.publish(after)
  await bench.settled(topics)
  expect(await statuses(bench)).toEqual({ ready: 50 })

  const { before: kept } = schemasOf(context, end.id)
  const untouched = await rows(bench)
  await bench.pool.query('update lane set generation = 2 where lane = 0') // As a change of the partitions does
  await expect(undoReplay(context, end.id)).rejects.toThrow(
    /^the topics were re-created since these tables were filled/,
  )
  await bench.pool.query('update lane set generation = 1 where lane = 0')
  const move = (offsets: number) =>
    bench.pool.query(`update "${kept}".fold_position set next_offset = next_offset + $1 where topic = 'orders'`, [
      offsets,
    ])
  await move(1_000) // As if the group had begun anew
  await expect(undoReplay(context, end.id)).rejects.toThrow(/^these tables are ahead of order-status at orders\/\d/)
  await move(-1_000)
  expect(await rows(bench)).toEqual(untouched)

  const undone = await undoReplay(context, end.id)
  await bench.publish(stories(3))
  await bench.settled(topics)
  expect(undone.state).toBe('undone')
  expect(await statuses(bench)).toEqual({ wrong: 25, ready: 28 })
  expect(await reader.stop()).toMatchObject({ gaps: [] })
  expect(await schemasLeft(bench)).toEqual(['generations', 'order_status', 'replay'])
  const stopped = await bench.pool.query(`select * from lane_state where phase <> 'live'`)
  expect(stopped.rows).toEqual([])
}, 90_000)

test('killed in the middle it goes on, and doubles nothing', async () => {
  await using bench = await open()
  await bench.replica(definition)
  await bench.publish(stories(20))
  await bench.settled(topics)
  const right = await rows(bench)
  await bench.pool.query('delete from order_status; delete from timeline')
  await using replay = await openReplayOf(bench, definition, await everything(bench))
  const small = (run: ReplayRun, dieAt: number): ReplayRun => {
    let steps = 0
    return {
      ...run,
      atOnce: () => 5,
      advance: async (...progress) => {
        if (++steps === dieAt) throw new Error('killed in a transaction')
        await run.advance(...progress)
      },
    }
  }

  await expect(rebuild.run(replay.context, small(replay.run, 4))).rejects.toThrow('killed in a transaction')
  const { aside } = schemasOf(replay.context, replay.run.id)
  const filledBy = (version: string) => bench.pool.query(`comment on schema ${aside} is '${version}'`)
  await filledBy('another')
  await expect(rebuild.run(replay.context, replay.run)).rejects.toThrow(/^the code of order-status has changed since/)
  await filledBy(consumerVersion(definition.group))
  const { run } = await replay.resumed()
  const stopped = { ...small(run, Infinity), pace: async () => void (replay.progress().scanned > 40 && replay.stop()) }
  await expect(rebuild.run(replay.context, stopped)).rejects.toThrow('stopped by the test')
  expect(replay.progress().scanned).toBeLessThan(80)
  expect(await rows(bench)).toEqual([])
  const last = await replay.resumed()
  await rebuild.run(replay.context, small(last.run, Infinity))

  expect(await rows(bench)).toEqual(right)
  expect(replay.figures()).toMatchObject({ folded: 60, repeated: 20, dropped: 0, swapped: 1 })
  expect(replay.progress()).toMatchObject({ scanned: 80 })
  // It died before it was kept that it had ended
  await rebuild.run(replay.context, (await replay.resumed()).run)
  expect(await rows(bench)).toEqual(right)
}, 60_000)

test('cancelled, it leaves nothing behind', async () => {
  await using bench = await open()
  await bench.replica(definition)
  await bench.publish(stories(3))
  await bench.settled(topics)
  const right = await rows(bench)
  await using replay = await openReplayOf(bench, definition, await everything(bench))
  const failing = { ...replay.run, advance: () => Promise.reject(new Error('killed')) }
  await expect(rebuild.run(replay.context, failing)).rejects.toThrow('killed')
  expect(await schemasLeft(bench)).toContain(`order_status_rebuild_${replay.run.id}`)

  await rebuild.abandon(replay.context, replay.run)

  expect(await schemasLeft(bench)).toEqual(['order_status', 'replay'])
  expect(await rows(bench)).toEqual(right)
  await expect(rebuild.undo(replay.context, replay.run)).rejects.toThrow('swapped no tables')
}, 60_000)
