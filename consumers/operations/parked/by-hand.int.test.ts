import { expect, test } from '@jest/globals'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { counts, ledgerSums, published } from '../../runtime/testing/observe.ts'
import { mendable } from '../../runtime/testing/mendable.ts'
import { countTable, orderPlaced, orders } from '../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../runtime/testing/test-bench.ts'
import { processBatches } from '../../runtime/batch/process-batch.ts'
import { askRedrive } from './redrive-parked.ts'
import { readAudit } from '../../runtime/tables/audit.ts'
import { awaitRedrive } from './await-redrive.ts'
import { dropParked } from './drop-parked.ts'
import { laneObstacles, ownedLanes } from './lane-obstacles.ts'
import { FailureBreaker } from '../../runtime/batch/failure-breaker.ts'
import { readRetries } from '../../runtime/batch/read-retries.ts'
import { countParked, listParked, readQueue } from '../../runtime/tables/parked-list.ts'

const group = 'tester'
const ada = { actor: 'ada' }
/** No second attempt by itself: everything waits for a person at once. */
const open = (settings: Record<string, string> = {}) =>
  openTestBench(group, countTable, 3, { TALLY_RETRY_LIMIT: '0', ...settings })

const entries = ({ pool }: TestBench) => listParked(pool, {}, { limit: 1_000 })
const waiting = ({ pool, sandbox, config }: TestBench) => ({
  obstacles: async (lanes: readonly number[]) =>
    laneObstacles(pool, lanes, await ownedLanes(sandbox.kafka, `${config.namespace}${group}`)),
})
/** Events that are no longer parked, in the order in which they left. */
const handledIds = async ({ pool }: TestBench) =>
  (
    await pool.query<{ id: number }>(`select parked_id as id from parked_audit where action = 'HANDLED' order by id`)
  ).rows.map(({ id }) => id)

test('a redrive handles keys from their heads, in order, whatever of them was chosen', async () => {
  await using bench = await open()
  let broken = true
  await bench.publish([
    orderPlaced('o-1', 'throws'),
    orderPlaced('o-1'),
    orderPlaced('o-1'),
    orderPlaced('o-2', 'throws'),
  ])
  await bench.replica(mendable(group, () => broken))
  await bench.settled(['orders'])
  const before = await entries(bench)
  const ofFirst = before.filter(({ key }) => key === 'o-1').map(({ id }) => id)
  expect(before.map(({ key, head, behind }) => [key, ofFirst.includes(head), behind])).toEqual(
    expect.arrayContaining([
      ['o-1', true, 2],
      ['o-1', true, 1],
      ['o-1', true, 0],
      ['o-2', false, 0],
    ]),
  )
  broken = false
  const asked = await askRedrive(bench.pool, { ids: ofFirst.slice(2) }, ada)
  expect(asked).toMatchObject([{ key: 'o-1', ids: ofFirst }])
  expect(await awaitRedrive(bench.pool, asked, waiting(bench))).toMatchObject({ events: 3, handled: 3, pending: [] })
  expect(await handledIds(bench)).toEqual(ofFirst)
  expect((await entries(bench)).map(({ key }) => key)).toEqual(['o-2'])
  expect((await counts(bench)).get('o-1')).toMatchObject({ placed: 3 })
  // The head is due because of someone who chose an event behind it: both say so
  const audit = await readAudit(bench.pool, ofFirst)
  expect(
    audit.filter(({ action }) => action === 'REDRIVE_ASKED').map(({ parkedId, actor }) => [parkedId, actor]),
  ).toEqual([
    [ofFirst[0], 'ada'],
    [ofFirst[2], 'ada'],
  ])
})

test('what waits behind an event that has changed since it was read does not overtake it', async () => {
  await using bench = await open()
  await bench.publish([orderPlaced('o-1', 'throws'), orderPlaced('o-1')])
  const replica = await bench.replica(mendable(group, () => true))
  await bench.settled(['orders'])
  await replica.stop()
  const [head] = await entries(bench)
  const { pool, codec, config } = bench
  const batch = await readRetries(await readQueue(pool, head!.lane, 'o-1', 10), { codec, partitions: 3 })
  await pool.query('update parked set revision = revision + 1 where id = $1', [head!.id])
  const { rows } = await pool.query<{ lane: number; epoch: number }>('select lane, epoch from lane where lane = $1', [
    head!.lane,
  ])
  const breaker = new FailureBreaker()
  const context = {
    definition: mendable(group, () => false),
    pool,
    codec,
    breaker,
    policy: config.failure,
    owner: 'test',
    generation: 1,
  }
  await processBatches(context, [{ own: rows[0]!, batch }])
  expect((await entries(bench)).map(({ behind }) => behind)).toEqual([1, 0])
})

test('what fails again is reported with its reason and what stays behind it', async () => {
  await using bench = await open()
  await bench.publish([orderPlaced('o-1', 'throws'), orderPlaced('o-1')])
  await bench.replica(mendable(group, () => true))
  await bench.settled(['orders'])
  const asked = await askRedrive(bench.pool, {}, ada)
  expect(await awaitRedrive(bench.pool, asked, waiting(bench))).toMatchObject({
    handled: 0,
    pending: [],
    failed: [
      {
        key: 'o-1',
        reason: 'HANDLER_FAILED',
        error: 'this order cannot be handled',
        attempts: 2,
        behind: 1,
        nextAttemptAt: null,
      },
    ],
  })
})

test('two persons ask at once, while the owner tries: every event takes effect once, in order', async () => {
  await using bench = await open({ TALLY_RETRY_LIMIT: '50', TALLY_RETRY_FIRST_MS: '1' })
  let calls = 0
  const placed = orders(40, 'throws')
  await bench.publish(placed.flatMap((order) => [order, orderPlaced(order.data.orderId)]))
  await bench.replica(mendable(group, () => calls++ < 200))
  await waitUntil('some are parked', async () => (await entries(bench)).length > 10)
  let asking = true
  const ask = async (actor: string) => {
    while (asking) await askRedrive(bench.pool, {}, { actor })
  }
  const persons = [ask('ada'), ask('bob')]
  await waitUntil('nothing is parked', async () => calls >= 240 && (await entries(bench)).length === 0)
  asking = false
  await Promise.all(persons)
  await bench.settled(['orders'])
  expect([...(await counts(bench)).values()].map((count) => count.placed)).toEqual(placed.map(() => 2))
  expect(new Set(await published(bench, 'inventory')).size).toBe(80)
  const { rows } = await bench.pool.query<{ sorted: boolean }>(
    `select array_agg(parked_id order by id) = array_agg(parked_id order by parked_id) as sorted
     from parked_audit where action = 'HANDLED' group by key`,
  )
  expect(rows.every(({ sorted }) => sorted)).toBe(true)
})

test('without an owner, on a paused or a stopped lane the waiting ends and says why', async () => {
  await using bench = await open()
  await bench.publish([orderPlaced('o-1', 'throws')])
  const replica = await bench.replica(mendable(group, () => true))
  await bench.settled(['orders'])
  await replica.stop()
  const asked = await askRedrive(bench.pool, { keys: ['o-1'] }, ada)
  const lane = asked[0]!.lane
  const outcome = await awaitRedrive(bench.pool, asked, waiting(bench))
  expect(outcome.pending).toHaveLength(1)
  const obstacles = () => waiting(bench).obstacles([lane])
  expect(await obstacles()).toEqual([{ lane, why: 'no replica owns it', heals: false }])
  await bench.pool.query(`insert into pause (lane, reason, actor) values ($1, 'migration', 'bob')`, [lane])
  expect(await obstacles()).toEqual([{ lane, why: 'paused by bob: migration', heals: false }])
})

test('dropping a head lets those behind it go; its bytes and headers stay in the audit', async () => {
  await using bench = await open()
  await bench.publish([
    orderPlaced('o-1', 'throws'),
    orderPlaced('o-1'),
    orderPlaced('o-1', 'throws'),
    orderPlaced('o-1'),
  ])
  await bench.replica(mendable(group, () => true))
  await bench.settled(['orders'])
  const rows = await readQueue(bench.pool, (await entries(bench))[0]!.lane, 'o-1', 10)
  const [head, , third] = rows
  expect(await dropParked(bench.pool, { ids: [head!.id] }, { actor: 'ada', why: 'a test order' })).toEqual([head!.id])
  await waitUntil('the third is the head', async () => (await entries(bench)).map(({ id }) => id)[0] === third!.id)
  expect(await readAudit(bench.pool, [head!.id])).toMatchObject([
    { action: 'DROPPED', actor: 'ada', why: 'a test order', before: head!.value, headers: head!.headers },
  ])
  expect((await counts(bench)).get('o-1')).toMatchObject({ placed: 1 })
  // One that waits behind leaves no gap in the order of the others, and makes nobody due
  const last = rows[3]!
  await dropParked(bench.pool, { ids: [last.id] }, { actor: 'ada', why: 'a test order, too' })
  expect(await entries(bench)).toMatchObject([{ id: third!.id, nextAttemptAt: null, behind: 0 }])
  expect(await ledgerSums(bench)).toMatchObject({ parked: 4 })
  const { rows: left } = await bench.pool.query<{ action: string; events: number }>(
    `select action, count(*)::int as events from parked_audit group by action order by action`,
  )
  expect(left).toEqual([
    { action: 'DROPPED', events: 2 },
    { action: 'HANDLED', events: 1 },
  ])
})

test('what is done by hand and what the audit says of it are one transaction', async () => {
  await using bench = await open()
  await bench.publish([orderPlaced('o-1', 'throws'), orderPlaced('o-1')])
  const replica = await bench.replica(mendable(group, () => true))
  await bench.settled(['orders'])
  await replica.stop()
  await bench.pool.query(
    `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'the power is gone'; end $$`,
  )
  await bench.pool.query('create trigger refuse before update or delete on parked execute function refuse()')
  const before = await entries(bench)
  await expect(askRedrive(bench.pool, {}, ada)).rejects.toThrow('the power is gone')
  await expect(dropParked(bench.pool, {}, { ...ada, why: 'x' })).rejects.toThrow('the power is gone')
  expect(await entries(bench)).toEqual(before)
  expect(
    await readAudit(
      bench.pool,
      before.map(({ id }) => id),
    ),
  ).toEqual([])
})

test('counts by reason, and works through more than fits into one transaction', async () => {
  await using bench = await open({ TALLY_PARKED_LIMIT: '5000' })
  await bench.publish([orderPlaced('o-1', 'throws')])
  const replica = await bench.replica(mendable(group, () => true))
  await bench.settled(['orders'])
  await replica.stop()
  await bench.pool.query(
    `insert into parked (lane, key, source, type, reason, event_id, next_attempt_at)
     select lane, 'k-' || n % 700, source, type, case when n < 700 then 'HANDLER_FAILED' else 'BEHIND' end, gen_random_uuid(), null
     from parked, generate_series(0, 1399) n`,
  )
  expect(await countParked(bench.pool, {})).toMatchObject([
    { reason: 'HANDLER_FAILED', events: 701, heads: 701, waitForPerson: 701 },
    { reason: 'BEHIND', events: 700, heads: 0 },
  ])
  const seen: number[] = []
  const asked = await askRedrive(bench.pool, { reasons: ['HANDLER_FAILED'] }, ada, {
    onProgress: (done) => seen.push(done),
  })
  expect(asked).toHaveLength(701)
  expect(seen.length).toBeGreaterThan(3)
  expect(
    new Set(
      (await entries(bench)).filter(({ id, head }) => id === head).map(({ nextAttemptAt }) => nextAttemptAt === null),
    ),
  ).toEqual(new Set([false]))
  const first = (await entries(bench))[0]!
  await dropParked(bench.pool, { upTo: first.id }, { actor: 'ada', why: 'only what was seen' })
  await dropParked(bench.pool, { keys: ['k-1'] }, { actor: 'ada', why: 'a key' })
  expect(await dropParked(bench.pool, {}, { actor: 'ada', why: 'all' })).toHaveLength(1_398)
  expect(await countParked(bench.pool, {})).toEqual([])
})
