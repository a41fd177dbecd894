import { expect, test } from '@jest/globals'
import { dropParked } from '../../parked/drop-parked.ts'
import { editParked, encodeEdit } from '../../parked/edit-parked.ts'
import { listParked, readParked } from '../../../runtime/tables/parked-list.ts'
import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { counts, published } from '../../../runtime/testing/observe.ts'
import { mendable } from '../../../runtime/testing/mendable.ts'
import { countTable, orderPlaced, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../../runtime/testing/test-bench.ts'
import { reprocess } from './reprocess.ts'
import { openReplayOf, rangesOf } from '../testing/replay-of.ts'

const group = 'tester'
const by = { actor: 'ada', why: 'a slip of the pen' }
/** One lane, so that the order is known. */
const open = () => openTestBench(group, countTable, 1, { TALLY_RETRY_LIMIT: '0' })
const placed = async (bench: TestBench) =>
  Object.fromEntries([...(await counts(bench))].map(([key, count]) => [key, count.placed]))

/** Orders `[key, customer]`, taken while nothing is broken. */
async function take(bench: TestBench, wanted: readonly (readonly [key: string, customer: string])[]) {
  await bench.replica(mendable(group, () => false))
  await bench.publish(wanted.map(([key, customer]) => orderPlaced(key, customer)))
  await bench.settled(['orders'])
}

test('an event that fails stops the replay behind what is done; mended, it goes on there', async () => {
  await using bench = await open()
  await take(bench, [
    ['a', 'counts'],
    ['b', 'counts'],
    ['a', 'throws'],
    ['a', 'counts'],
    ['c', 'counts'],
  ])
  let broken = true
  const ranges = await rangesOf(bench, 'orders')
  await using replay = await openReplayOf(
    bench,
    mendable(group, () => broken),
    ranges,
  )
  await expect(reprocess.run(replay.context, replay.run)).rejects.toThrow(
    'orders/0 offset 2: OrderPlaced of key a cannot be handled (HANDLER_FAILED): this order cannot be handled',
  )
  expect(replay.progress()).toEqual({ next: 2, scanned: 2 })
  expect(await placed(bench)).toEqual({ a: 4, b: 2, c: 1 })
  broken = false
  await reprocess.run(replay.context, (await replay.resumed()).run)
  expect(replay.progress()).toEqual({ next: 5, scanned: 5 })
  expect(await placed(bench)).toEqual({ a: 6, b: 2, c: 2 })
  expect(replay.figures()).toMatchObject({ handled: 5, failed: 0 })
})

test.each(['throws', 'refused'])(
  'told to pass over failures (%s), it notes them and what is behind them',
  async (how) => {
    await using bench = await open()
    await take(bench, [
      ['a', 'counts'],
      ['a', 'throws'],
      ['b', 'counts'],
      ['a', 'counts'],
      ['c', 'counts'],
    ])
    const failing = mendable(group, () => true)
    const handle = failing.handlers.OrderPlaced!
    const definition = {
      ...failing,
      handlers: {
        OrderPlaced: ((order, ...rest) =>
          handle(
            { ...order, customerId: order.customerId === 'throws' ? how : order.customerId },
            ...rest,
          )) as typeof handle,
      },
    }
    await using replay = await openReplayOf(bench, definition, await rangesOf(bench, 'orders'), {
      options: { skipFailed: true, rate: 3 },
    })
    await reprocess.run(replay.context, replay.run)
    expect(await placed(bench)).toEqual({ a: 4, b: 2, c: 2 })
    expect(replay.failures.map(({ offset, key, reason }) => [offset, key, reason])).toEqual([
      [1, 'a', how === 'throws' ? 'HANDLER_FAILED' : 'REFUSED_BY_DATABASE'],
      [3, 'a', 'BEHIND'],
    ])
    expect(replay.figures()).toMatchObject({ handled: 3, failed: 2 })
  },
)

test('what waits behind a failure still does after a resume', async () => {
  await using bench = await open()
  await take(bench, [
    ['a', 'throws'],
    ['b', 'counts'],
    ['a', 'counts'],
  ])
  await using replay = await openReplayOf(
    bench,
    mendable(group, () => true),
    await rangesOf(bench, 'orders'),
    {
      options: { skipFailed: true, rate: 1 },
    },
  )
  let steps = 0
  const stopped = {
    ...replay.run,
    pace: async () => (++steps === 2 ? Promise.reject(new Error('stopped')) : undefined),
  }
  await expect(reprocess.run(replay.context, stopped)).rejects.toThrow('stopped')
  await reprocess.run(replay.context, (await replay.resumed()).run)
  expect(replay.failures.map(({ offset, reason }) => [offset, reason])).toEqual([
    [0, 'HANDLER_FAILED'],
    [2, 'BEHIND'],
  ])
})

test('an event whose key has parked events is not handled in front of them', async () => {
  await using bench = await open()
  await bench.replica(tallyConsumer(group))
  await bench.publish([orderPlaced('a'), orderPlaced('a', 'throws'), orderPlaced('b')])
  await bench.settled(['orders'])
  await using replay = await openReplayOf(bench, tallyConsumer(group), await rangesOf(bench, 'orders'))
  await expect(reprocess.run(replay.context, replay.run)).rejects.toThrow(
    'its key has parked events: redrive them first',
  )
  expect(await placed(bench)).toEqual({ a: 1, b: 1 })
})

test('operator decisions about parked events are kept', async () => {
  await using bench = await open()
  await bench.replica(tallyConsumer(group))
  await bench.publish([orderPlaced('a', 'throws'), orderPlaced('b', 'throws'), orderPlaced('c')])
  await bench.settled(['orders'])
  const [dropped, edited] = await listParked(bench.pool, {}, { limit: 2 })
  await dropParked(bench.pool, { ids: [dropped!.id] }, by)
  const row = (await readParked(bench.pool, edited!.id))!
  const edit = encodeEdit(row, orderPlaced('b', 'mended'), bench.codec, 1)
  await editParked(bench.pool, edit, by, { redrive: true })
  await waitUntil('the edited one is handled', async () => (await placed(bench))['b'] === 1)
  await using replay = await openReplayOf(bench, tallyConsumer(group), await rangesOf(bench, 'orders'))
  await reprocess.run(replay.context, replay.run)
  expect(await placed(bench)).toEqual({ b: 2, c: 2 })
  expect(replay.figures()).toMatchObject({ handled: 2, dropped: 1 })
  expect(new Set(await published(bench, 'inventory')).size).toBe(2)
})

test('what is dropped while the replay runs is left out, too', async () => {
  await using bench = await open()
  await bench.replica(tallyConsumer(group))
  await bench.publish([orderPlaced('b'), orderPlaced('a', 'throws'), orderPlaced('c')])
  await bench.settled(['orders'])
  const mended = mendable(group, () => false)
  await using replay = await openReplayOf(bench, mended, await rangesOf(bench, 'orders'), { options: { rate: 1 } })
  let steps = 0
  const pace = async () => {
    if (++steps === 2) await dropParked(bench.pool, {}, by)
  }
  await reprocess.run(replay.context, { ...replay.run, pace })
  expect(await placed(bench)).toEqual({ b: 2, c: 2 })
  expect(replay.figures()).toMatchObject({ handled: 2, dropped: 1 })
})
