import { expect, test } from '@jest/globals'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { defineConsumer } from '../handler.ts'
import type { ConsumerDefinition, Handler } from '../handler.ts'
import { published } from '../testing/observe.ts'
import { orderPlaced } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { Published, TestBench } from '../testing/test-bench.ts'

/** What happened to an order: `placed`, or the kind of a timer that fired. */
type Happenings = readonly string[]

const hour = 3_600_000
const group = 'alarm'
const open = () => openTestBench(group, 'create table happened (key text primary key, what text[] not null)')

/** Sets the timers its customer's id names, `first:-2,second:-1`: when each is due, in hours from now. */
const alarmConsumer = (firing: (key: string) => void = () => {}): ConsumerDefinition<Happenings> => {
  const fires: Handler<{ kind: string }, Happenings> = ({ kind }, happened, { key, time }) => {
    firing(key)
    const lines = [{ sku: kind, quantity: 1 }]
    return {
      state: [...happened, kind],
      events: [{ type: 'StockReleased', data: { orderId: key, lines, releasedAt: time } }],
    }
  }
  return defineConsumer<Happenings>({
    group,
    state: {
      initial: () => [],
      async load(tx, keys) {
        const { rows } = await tx.query<{ key: string; what: string[] }>('select * from happened where key = any($1)', [
          keys,
        ])
        return new Map(rows.map(({ key, what }) => [key, what]))
      },
      async save(tx, states) {
        await tx.query(
          `insert into happened select key, string_to_array(what, ',') from unnest($1::text[], $2::text[]) as t (key, what)
           on conflict (key) do update set what = excluded.what`,
          [[...states.keys()], [...states.values()].map((what) => what.join(','))],
        )
      },
    },
    handlers: {
      OrderPlaced: ({ customerId }, happened) => ({
        state: [...happened, 'placed'],
        timers: customerId
          .split(',')
          .map((text) => text.split(':'))
          .map(([kind = '', hours]) => ({ kind, afterMs: Number(hours) * hour })),
      }),
      CancellationRequested: ({ reason }) => ({ withdraw: [reason] }),
    },
    timers: { first: fires, second: fires, third: fires },
  })
}

const cancellation = (orderId: string, kind: string): Published => ({
  type: 'CancellationRequested',
  data: { orderId, reason: kind, requestedAt: Date.now() },
})

async function happenings({ pool }: TestBench): Promise<Map<string, string[]>> {
  const { rows } = await pool.query<{ key: string; what: string[] }>('select * from happened')
  return new Map(rows.map(({ key, what }) => [key, what]))
}

const waiting = async ({ pool }: TestBench) => (await pool.query('select 1 from timer')).rowCount
const makeDue = ({ pool }: TestBench) => pool.query(`update timer set due_at = due_at - interval '2 hours'`)

test('a withdrawn timer is gone and never fires, set in the same batch or before; others of its key do', async () => {
  await using bench = await open()
  await bench.publish([
    orderPlaced('o-1', 'first:1,second:1'),
    cancellation('o-1', 'first'),
    orderPlaced('o-2', 'first:1'),
  ])
  await bench.publish([orderPlaced('o-3', 'third:1')])
  await bench.replica(alarmConsumer())
  await bench.settled(['orders'])
  expect(await waiting(bench)).toBe(3)
  await bench.publish([cancellation('o-3', 'third'), cancellation('o-4', 'first')])
  await bench.settled(['orders'])
  expect(await waiting(bench)).toBe(2)
  await makeDue(bench)
  await waitUntil('the others have fired', async () => (await waiting(bench)) === 0)
  expect(await happenings(bench)).toEqual(
    new Map([
      ['o-1', ['placed', 'second']],
      ['o-2', ['placed', 'first']],
      ['o-3', ['placed']],
    ]),
  )
})

test('a timer outlives the replica that set it and fires once, when it is due', async () => {
  await using bench = await open()
  await bench.publish([orderPlaced('o-1', 'first:1')])
  const before = await bench.replica(alarmConsumer())
  await waitUntil('the timer is set', async () => (await waiting(bench)) === 1)
  await before.stop()
  // A due timer shows that the replica has polled and left the other one waiting
  await bench.publish([orderPlaced('o-2', 'first:-1')])
  const after = await bench.replica(alarmConsumer())
  await waitUntil('the due one fired', async () => (await happenings(bench)).get('o-2')?.includes('first'))
  expect((await happenings(bench)).get('o-1')).toEqual(['placed'])
  await after.stop()

  await makeDue(bench)
  await bench.replica(alarmConsumer())
  await waitUntil('it fired', async () => (await waiting(bench)) === 0)
  await bench.settled(['orders'])
  expect((await happenings(bench)).get('o-1')).toEqual(['placed', 'first'])
  expect(await published(bench, 'inventory')).toHaveLength(2)
})

test.each([-24, 24])('a producer whose clock is %i h off moves no deadline', async (hoursOff) => {
  await using bench = await open()
  const { type, data } = orderPlaced('o-1', 'first:1')
  const time = Date.now() + hoursOff * hour
  const envelope = { id: newEventId(time), type, source: '/test', time, subject: 'o-1', correlationId: 'o-1' }
  const headers = toHeaders(envelope)
  await bench.publishRaw('orders', { key: 'o-1', value: bench.codec.encode(type, data), headers })
  await bench.replica(alarmConsumer())
  await bench.settled(['orders'])
  const { rows } = await bench.pool.query<{ left: number }>(
    'select extract(epoch from due_at - now())::float8 * 1000 as left from timer',
  )
  expect(rows).toEqual([{ left: expect.closeTo(hour, -6) }])
})

test('events that were on the topics when a timer was found due go first, however long the downtime', async () => {
  await using bench = await open()
  await bench.publish([orderPlaced('o-1', 'first:1')])
  const before = await bench.replica(alarmConsumer())
  await waitUntil('the timer is set', async () => (await waiting(bench)) === 1)
  await before.stop()
  // More than one fetch returns, so that timers are polled in between if the database is slow
  const { type, data } = orderPlaced('o-1', 'second:1')
  const lines = Array.from({ length: 1_000 }, (_, n) => ({
    sku: `A${n}`,
    quantity: 1,
    unitPriceMinor: 1,
    amountMinor: 1,
  }))
  const large = {
    type,
    data: { ...data, lines, totalMinor: lines.length, shipTo: { ...data.shipTo, street: 's'.repeat(2_000) } },
  }
  await bench.publish(Array.from({ length: 80 }, () => large))
  await makeDue(bench)
  const alarm = alarmConsumer()
  const load: typeof alarm.state.load = async (tx, keys) => {
    await tx.query('select pg_sleep(0.4)')
    return alarm.state.load(tx, keys)
  }
  await bench.replica({ ...alarm, state: { ...alarm.state, load } })
  await waitUntil('it fired', async () => (await happenings(bench)).get('o-1')?.includes('first'))
  expect((await happenings(bench)).get('o-1')?.indexOf('first')).toBe(81)
})

test('timers fire once each while replicas come and go', async () => {
  await using bench = await open()
  const placed = Array.from({ length: 400 }, () => orderPlaced(newEventId(), 'first:1'))
  await bench.publish(placed)
  const one = await bench.replica(alarmConsumer())
  await waitUntil('all are set', async () => (await waiting(bench)) === placed.length)

  let firing = 0
  const eager = Promise.withResolvers<void>()
  const watched = alarmConsumer(() => {
    if (++firing === 1) eager.resolve()
  })
  const two = await bench.replica(watched)
  await makeDue(bench)
  await eager.promise
  await Promise.all([one.stop(), bench.replica(watched)])
  await two.stop()

  await waitUntil('all fired', async () => (await waiting(bench)) === 0)
  await bench.settled(['orders'])
  const found = await happenings(bench)
  expect(placed.filter(({ data }) => found.get(data.orderId)?.join() !== 'placed,first')).toEqual([])
  const announced = await published(bench, 'inventory')
  expect(new Set(announced).size).toBe(placed.length)
})

test('timers of a key fire in the order in which they come due', async () => {
  await using bench = await open()
  const orderIds = Array.from({ length: 20 }, (_, index) => `o-${index}`)
  await bench.publish(orderIds.map((orderId) => orderPlaced(orderId, 'third:-1,first:-3,second:-2')))
  await bench.replica(alarmConsumer())
  await bench.settled(['orders'])
  await waitUntil('all fired', async () => (await waiting(bench)) === 0)
  const found = await happenings(bench)
  for (const orderId of orderIds) expect(found.get(orderId)).toEqual(['placed', 'first', 'second', 'third'])
})

test('a timer that cannot be handled is parked, its key waits behind it, and nothing is lost or doubled', async () => {
  await using bench = await open()
  const failing = alarmConsumer((key) => {
    if (key === 'o-bad') throw new Error('this timer cannot be handled')
  })
  const healthy = Array.from({ length: 9 }, (_, index) => `o-${index}`)
  await bench.publish(['o-bad', ...healthy].map((orderId) => orderPlaced(orderId, 'first:-2,second:-1')))
  const before = await bench.replica(failing)
  await waitUntil('its timers are parked', async () => (await bench.pool.query('select 1 from parked')).rowCount === 2)
  await bench.publish([orderPlaced('o-bad', 'third:-1'), orderPlaced('o-0', 'third:-1')])
  await waitUntil('the others continue', async () => (await happenings(bench)).get('o-0')?.at(-1) === 'third')
  await bench.settled(['orders'])
  await before.stop()
  expect((await happenings(bench)).get('o-bad')).toEqual(['placed'])
  const { rows } = await bench.pool.query('select source, type, reason from parked order by id')
  expect(rows).toEqual([
    { source: 'timer', type: 'first', reason: 'HANDLER_FAILED' },
    { source: 'timer', type: 'second', reason: 'BEHIND' },
    { source: 'record', type: 'OrderPlaced', reason: 'BEHIND' },
  ])

  await bench.pool.query('update parked set next_attempt_at = now() where next_attempt_at is not null')
  await bench.replica(alarmConsumer())
  await waitUntil('the parked ones are handled', async () => (await happenings(bench)).get('o-bad')?.length === 5)
  expect((await happenings(bench)).get('o-bad')).toEqual(['placed', 'first', 'second', 'placed', 'third'])
  expect((await bench.pool.query('select 1 from parked')).rowCount).toBe(0)
})
