import { expect, test } from '@jest/globals'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { newEventId } from '../../../../schemas/event-id.ts'
import type { Emitted } from '../../../runtime/handler.ts'
import { dropParked } from '../../parked/drop-parked.ts'
import { editParked, encodeEdit } from '../../parked/edit-parked.ts'
import { listParked, readParked } from '../../../runtime/tables/parked-list.ts'
import type { Published } from '../../../runtime/testing/test-bench.ts'
import { rebuild } from './rebuild.ts'
import { startReplay } from '../run/run-replay.ts'
import { undoReplay } from '../run/control-replay.ts'
import { openReplayFrame } from '../testing/replay-frame.ts'
import { openReplayOf } from '../testing/replay-of.ts'
import {
  by,
  definition,
  everything,
  inPlan,
  open,
  orderOf,
  partitions,
  rows,
  schemasLeft,
  stories,
  story,
  topics,
} from './testing/order-stories.ts'

test('a rebuild waits until parked events are decided and applies the decisions of operators', async () => {
  await using bench = await open()
  await bench.replica(definition)
  const [dropped, mended] = [story(), story()]
  await bench.publish(stories(5))
  for (const { data } of [dropped[0]!, mended[0]!]) {
    const headers = { ce_id: newEventId(), ce_type: 'tally.orders.OrderPlaced' }
    await bench.publishRaw('orders', { key: orderOf({ data } as Published), value: Buffer.from('nonsense'), headers })
  }
  await bench.publish([...dropped.slice(1), ...mended.slice(1)])
  await bench.settled(topics)
  await using replay = await openReplayOf(bench, definition, await everything(bench), { plan: { topics: inPlan } })
  const preconditions = await rebuild.preconditions(replay.context, replay.run.plan, {})
  expect(preconditions).toEqual([expect.stringMatching(/^\d+ events of order-status are parked/)])

  const ended = rebuild.run(replay.context, replay.run)
  await waitUntil('it waits', () => replay.notes.some((note) => note.includes('parked events of order-status')))
  const heads = (await listParked(bench.pool, {}, { limit: 99 })).filter(({ reason }) => reason === 'UNREADABLE')
  const of = (events: Published[]) => heads.find(({ key }) => key === orderOf(events[0]!))!
  await dropParked(bench.pool, { ids: [of(dropped).id] }, by)
  const edit = encodeEdit((await readParked(bench.pool, of(mended).id))!, mended[0] as Emitted, bench.codec, partitions)
  await editParked(bench.pool, edit, by, { redrive: true })
  await ended

  await bench.settled(topics)
  expect(replay.figures()).toMatchObject({ dropped: 1, swapped: 1 })
  const { rows: found } = await bench.pool.query(
    'select order_id, status, entries, customer_id from order_status where order_id = any($1) order by entries',
    [[orderOf(dropped[0]!), orderOf(mended[0]!)]],
  )
  expect(found).toEqual([
    { order_id: orderOf(dropped[0]!), status: 'ready', entries: 2, customer_id: null },
    { order_id: orderOf(mended[0]!), status: 'ready', entries: 3, customer_id: 'c' },
  ])
  const kept = (
    await bench.pool.query(
      `select order_id, entries, status, customer_id from "${bench.config.namespace}order_status_before_${replay.run.id}".order_status order by 1`,
    )
  ).rows
  const now = (await bench.pool.query('select order_id, entries, status, customer_id from order_status order by 1'))
    .rows
  expect(now).toEqual(kept)
}, 60_000)

test('undo is refused while events are parked, and where the live tables are laid out otherwise by now', async () => {
  await using bench = await open()
  await bench.replica(definition)
  await bench.publish(stories(3))
  await bench.settled(topics)
  await using frame = await openReplayFrame(bench, definition)
  const { id, state, reason } = await startReplay(frame.context, await frame.plan(topics, { mode: 'rebuild' }), {}, by)
  expect({ state, reason }).toEqual({ state: 'done', reason: null })
  const key = orderOf(story()[0]!)
  const headers = { ce_id: newEventId(), ce_type: 'tally.orders.OrderPlaced' }
  await bench.publishRaw('orders', { key, value: Buffer.from('nonsense'), headers })
  await bench.settled(topics)

  await expect(undoReplay(frame.context, id)).rejects.toThrow('1 events of order-status are parked')
  const parked = await listParked(bench.pool, {}, { limit: 9 })
  await dropParked(bench.pool, { ids: parked.map((each) => each.id) }, by)
  await bench.pool.query('alter table order_status add column added_since text')
  await expect(undoReplay(frame.context, id)).rejects.toThrow('table order_status does not match this version')

  await bench.pool.query('alter table order_status drop column added_since')
  expect(await undoReplay(frame.context, id)).toMatchObject({ state: 'undone' })
}, 60_000)

test('a record of a foreign schema that was dropped is passed over; one that is only gone from parked is not', async () => {
  await using bench = await open()
  await bench.replica(definition)
  await bench.publish(stories(3))
  const value = Buffer.from([0, 0x7f, 0xff, 0xff, 0x01, 1, 2, 3]) // Schema 2147483393
  await bench.publishRaw('orders', { key: orderOf(story()[0]!), value })
  await bench.settled(topics)
  const parked = await listParked(bench.pool, {}, { limit: 9 })
  expect(parked).toHaveLength(1)
  await dropParked(bench.pool, { ids: parked.map((each) => each.id) }, by)
  await using frame = await openReplayFrame(bench, definition)
  const unknown = { id: 2147483393, type: null, records: 1, parked: 0, outbox: 0, unreadable: 'it is not known' }
  const plan = () => frame.plan(topics, { mode: 'rebuild', schemas: [unknown] })
  expect(await rebuild.preconditions(frame.context, await plan(), {})).toEqual([])
  expect(await startReplay(frame.context, await plan(), {}, by)).toMatchObject({ state: 'done', reason: null })
  await bench.pool.query('delete from parked_audit')
  const refused = [expect.stringContaining('1 events have schema 2147483393, which cannot be read')]
  expect(await rebuild.preconditions(frame.context, await plan(), {})).toEqual(refused)
}, 60_000)

test('undo says so where the events are gone that would bring the kept tables up to date', async () => {
  await using bench = await open()
  await bench.replica(definition)
  await bench.publish(stories(3))
  await bench.settled(topics)
  await using frame = await openReplayFrame(bench, definition)
  const { id } = await startReplay(frame.context, await frame.plan(topics, { mode: 'rebuild' }), {}, by)
  await bench.publish(stories(3))
  await bench.settled(topics)
  const right = await rows(bench)
  await withAdmin(bench.sandbox.kafka, async (admin) => {
    for (const topic of topics) {
      const offsets = await admin.fetchTopicOffsets(`${bench.config.namespace}${topic}`)
      const ends = offsets.map(({ partition, high }) => ({ partition, offset: high }))
      await admin.deleteTopicRecords({ topic: `${bench.config.namespace}${topic}`, partitions: ends })
    }
  })

  await expect(undoReplay(frame.context, id)).rejects.toThrow(/kept cannot be brought up to date.*retention deleted it/)
  expect(await rows(bench)).toEqual(right)
  expect(await schemasLeft(bench)).toEqual(['generations', 'order_status', `order_status_before_${id}`, 'replay'])

  // The next one keeps the tables it replaces, and only those
  const plan = await frame.plan(topics, { mode: 'rebuild' })
  const next = await startReplay(frame.context, plan, { acceptLost: true }, by)
  expect(await schemasLeft(bench)).toEqual(['generations', 'order_status', `order_status_before_${next.id}`, 'replay'])
  await expect(undoReplay(frame.context, id)).rejects.toThrow('a later rebuild has replaced them')
}, 60_000)
