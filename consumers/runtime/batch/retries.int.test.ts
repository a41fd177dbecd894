import { expect, test } from '@jest/globals'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { dueRows } from '../tables/retry-table.ts'
import { mendable } from '../testing/mendable.ts'
import { counts, ledgerSums, published } from '../testing/observe.ts'
import { countTable, orderPlaced, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'
import type { TestBench } from '../testing/test-bench.ts'

const group = 'tester'
const open = (settings: Record<string, string> = {}) =>
  openTestBench(group, countTable, 3, { TALLY_RETRY_FIRST_MS: '50', TALLY_RETRY_LIMIT: '2', ...settings })

/** Another key of the same lane. */
const keyLike = (key: string): string => {
  for (let n = 2; ; n++) if (laneOf(`${key}-${n}`, 3) === laneOf(key, 3)) return `${key}-${n}`
}

const parked = async ({ pool }: TestBench) =>
  (
    await pool.query<{ key: string; reason: string; attempts: number; waits: boolean }>(
      'select key, reason, attempts, next_attempt_at is null as waits from parked order by id',
    )
  ).rows

test('a parked event is tried again, in order of its key, and leaves when it can be handled', async () => {
  await using bench = await open()
  let broken = true
  await bench.publish([
    orderPlaced('o-1', 'throws'),
    orderPlaced('o-1', 'counts'),
    orderPlaced('o-1', 'throws'),
    orderPlaced('o-1', 'counts'),
  ])
  await bench.replica(mendable(group, () => broken))
  await bench.settled(['orders'])
  expect((await parked(bench)).map(({ reason }) => reason)).toEqual(['HANDLER_FAILED', 'BEHIND', 'BEHIND', 'BEHIND'])
  broken = false
  await waitUntil('nothing is parked', async () => (await parked(bench)).length === 0)
  await bench.settled(['orders'])
  expect((await counts(bench)).get('o-1')).toMatchObject({ placed: 4 })
  expect(new Set(await published(bench, 'inventory')).size).toBe(4)
  // The ledger keeps the first result of each offset, the audit what happened to the events since
  expect(await ledgerSums(bench)).toMatchObject({ taken: 0, parked: 4, offsets: 4 })
  const { rows } = await bench.pool.query('select action, count(*)::int from parked_audit group by action')
  expect(rows).toEqual([{ action: 'HANDLED', count: 4 }])
})

test('after the last attempt an event waits for an operator; its key stays in order, other keys flow', async () => {
  await using bench = await open()
  await bench.publish([orderPlaced('o-1', 'throws'), orderPlaced('o-1')])
  await bench.replica(mendable(group, () => true))
  await waitUntil('the attempts are used up', async () => (await parked(bench))[0]?.waits)
  await bench.publish([orderPlaced('o-1'), ...orders(10)])
  await bench.settled(['orders'])
  expect(await parked(bench)).toEqual([
    { key: 'o-1', reason: 'HANDLER_FAILED', attempts: 3, waits: true },
    { key: 'o-1', reason: 'BEHIND', attempts: 0, waits: true },
    { key: 'o-1', reason: 'BEHIND', attempts: 0, waits: true },
  ])
  expect((await counts(bench)).size).toBe(10)
})

test('the second of a key that fails stays, the first leaves', async () => {
  await using bench = await open()
  let broken: string | undefined = 'all'
  await bench.publish([orderPlaced('o-1', 'throws'), orderPlaced('o-1', 'refused'), orderPlaced('o-1')])
  await bench.replica(mendable(group, () => broken === 'all'))
  await waitUntil('the attempts are used up', async () => (await parked(bench))[0]?.waits)
  broken = undefined
  // Once fixed, `refused` is an ordinary order, so only the database can refuse it
  await bench.pool.query(`alter table count add constraint at_most_one check (placed < 2)`)
  await bench.pool.query('update parked set next_attempt_at = now() where reason <> $1', ['BEHIND'])
  await waitUntil('the first has left', async () => (await parked(bench)).length === 2)
  await waitUntil('the second has used up its attempts', async () => (await parked(bench))[0]?.waits)
  expect((await parked(bench)).map(({ reason }) => reason)).toEqual(['REFUSED_BY_DATABASE', 'BEHIND'])
  expect((await counts(bench)).get('o-1')).toMatchObject({ placed: 1 })
})

test('retries that turn out to be behind another event do not keep others from their turn', async () => {
  await using bench = await open({ TALLY_RETRY_LIMIT: '0' })
  let broken = true
  const other = keyLike('o-1')
  await bench.publish([...Array.from({ length: 61 }, () => orderPlaced('o-1', 'throws')), orderPlaced(other, 'throws')])
  await bench.replica(mendable(group, () => broken))
  await waitUntil('all are parked', async () => (await parked(bench)).length === 62)
  broken = false
  // As after records whose keys could not be read: due under keys of their own, in truth behind the first
  await bench.pool.query(
    `update parked set key = 'unread-' || id, reason = 'UNREADABLE', next_attempt_at = now() - interval '1 day'
     where key = 'o-1' and id > (select min(id) from parked where key = 'o-1')`,
  )
  await bench.pool.query('update parked set next_attempt_at = now() where key = $1', [other])
  await waitUntil('the other has left', async () => (await parked(bench)).every(({ key }) => key !== other))
  await waitUntil('nothing is due', async () => (await parked(bench)).every(({ waits }) => waits))
  expect(new Set((await parked(bench)).slice(1).map(({ key, reason }) => `${key} ${reason}`))).toEqual(
    new Set(['o-1 BEHIND']),
  )
  // Nothing is lost: once the head can be handled, all follow in order
  await bench.pool.query(`update parked set next_attempt_at = now() where reason <> 'BEHIND'`)
  await waitUntil('nothing is parked', async () => (await parked(bench)).length === 0)
  expect((await counts(bench)).get('o-1')).toMatchObject({ placed: 61 })
})

test('a key with many events, or a lane with many keys, does not keep the others from their turn', async () => {
  await using bench = await open()
  await bench.pool.query(
    `insert into parked (lane, key, source, event_id, reason, next_attempt_at)
     select 0, 'long', 'record', gen_random_uuid(), 'BEHIND', case n when 1 then now() - interval '1 day' end from generate_series(1, 1000) n
     union all select 0, 'key-' || n, 'record', gen_random_uuid(), 'HANDLER_FAILED', now() - interval '1 hour' from generate_series(1, 40) n
     union all select 1, 'elsewhere', 'record', gen_random_uuid(), 'HANDLER_FAILED', now()`,
  )
  const rows = await dueRows(bench.pool, [0, 1])
  const read = Map.groupBy(rows, ({ key }) => key)
  expect(read.size).toBe(42)
  expect(read.get('long')).toHaveLength(160)
  expect(rows.map(({ id }) => id)).toEqual(rows.map(({ id }) => id).sort((a, b) => a - b))
})

test('large events that are due at the same time do not fill the memory: a lane takes its share, in order', async () => {
  await using bench = await open()
  const mib = 2 ** 20
  await bench.pool.query(
    `insert into parked (lane, key, source, event_id, reason, next_attempt_at, value)
     select lane, 'key-' || n % 3, 'record', gen_random_uuid(), 'UNREADABLE', case when n <= 3 then now() end, value
     from generate_series(0, 2) lane, generate_series(1, 12) n, (select convert_to(repeat('v', $1), 'UTF8') as value) v`,
    [mib],
  )
  const rows = await dueRows(bench.pool, [0, 1], 4)
  for (const lane of [0, 1]) {
    const own = rows.filter((row) => row.lane === lane)
    expect(own.map(({ key }) => key)).toEqual(['key-1', 'key-2', 'key-0', 'key-1']) // 4 MiB: first the heads
  }
  // One that is larger than the share has its turn, too
  expect(await dueRows(bench.pool, [0], 100)).toHaveLength(1)
})

test('replicas come and go while events are parked and retried: each takes effect once', async () => {
  await using bench = await open({ TALLY_RETRY_LIMIT: '100' })
  let calls = 0
  const flaky = mendable(group, () => calls++ < 100) // Across replicas: the first hundred attempts fail
  const placed = orders(60, 'throws')
  const publishing = bench.publish(placed.flatMap((order) => [order, orderPlaced(order.data.orderId)]))
  const first = await bench.replica(flaky)
  const second = await bench.replica(flaky)
  await publishing
  await first.stop()
  await bench.replica(flaky)
  await second.stop()
  await bench.settled(['orders'])
  await waitUntil('nothing is parked', async () => (await parked(bench)).length === 0)
  await bench.settled(['orders'])
  expect([...(await counts(bench)).values()].map((count) => count.placed)).toEqual(placed.map(() => 2))
  expect(new Set(await published(bench, 'inventory')).size).toBe(120)
})

test('a timer and an answer that cannot be handled are parked and tried again, too', async () => {
  await using bench = await open({ TALLY_RETRY_LIMIT: '50' })
  let broken = true
  const definition = tallyConsumer(group)
  const { ask } = definition.calls!
  const fail = () => {
    if (broken) throw new Error('cannot be handled')
  }
  await bench.replica({
    ...definition,
    calls: { ask: { ...ask!, handle: (...args) => (fail(), ask!.handle(...args)) } },
    timers: { remind: (...args) => (fail(), definition.timers!['remind']!(...args)) },
  })
  await bench.publish([orderPlaced('o-asks', 'asks'), orderPlaced('o-waits', 'waits')])
  await waitUntil('both are parked', async () => (await parked(bench)).length === 2)
  broken = false
  await waitUntil('nothing is parked', async () => (await parked(bench)).length === 0)
  expect((await counts(bench)).get('o-asks')).toMatchObject({ placed: 1, answered: 1 })
  expect((await counts(bench)).get('o-waits')).toMatchObject({ placed: 1, fired: 1 })
})

test('a service that fails at everything parks a handful, waits, and recovers automatically', async () => {
  await using bench = await open({ TALLY_RETRY_LIMIT: '100' })
  await bench.publish(orders(40))
  await bench.pool.query('alter table count rename to elsewhere')
  await bench.replica(tallyConsumer(group))
  await waitUntil('the lanes know that it is not the events', async () => {
    const { rows } = await bench.pool.query<{ phase: string }>('select phase from lane_state')
    return rows.some(({ phase }) => phase === 'waiting')
  })
  // Twenty, and those that concurrent lanes judged before they knew of each other
  expect((await parked(bench)).length).toBeLessThanOrEqual(30)
  await bench.pool.query('alter table elsewhere rename to count')
  await bench.settled(['orders'])
  await waitUntil('nothing is parked', async () => (await parked(bench)).length === 0)
  expect([...(await counts(bench)).values()].map(({ placed }) => placed)).toEqual(Array(40).fill(1))
})
