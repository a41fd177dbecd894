import { expect, test } from '@jest/globals'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { counts, ledgerSums, published } from '../testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

const group = 'tester'
const open = () => openTestBench(group, countTable)

test('replicas come and go while events flow: each takes effect once', async () => {
  await using bench = await open()
  const placed = orders(600)
  const publishing = bench.publish(placed)
  const first = await bench.replica(tallyConsumer(group), 'one')
  const second = await bench.replica(tallyConsumer(group), 'two')
  await waitUntil('both own lanes', async () => {
    const { rows } = await bench.pool.query<{ owners: number }>('select count(distinct owner)::int as owners from lane')
    return rows[0]?.owners === 2
  })
  await first.stop()
  await bench.replica(tallyConsumer(group), 'three')
  await second.stop()
  await publishing
  await bench.settled(['orders'])
  const found = await counts(bench)
  expect(placed.filter(({ data }) => found.get(data.orderId)?.placed !== 1)).toEqual([])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 600, duplicates: 0, offsets: 600 })
  expect(new Set(await published(bench, 'inventory')).size).toBe(600)
})

test('lanes whose connections the database cuts claim themselves again', async () => {
  await using bench = await open()
  const placed = orders(300)
  const publishing = bench.publish(placed)
  await bench.replica(tallyConsumer(group))
  for (let cut = 0; cut < 5; cut++) {
    await waitUntil('a connection to cut', async () => {
      const { rowCount } = await bench.sandbox.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and state <> 'idle'`,
        [`test ${bench.sandbox.namespace}${group}`],
      )
      return rowCount
    })
  }
  await publishing
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 300, duplicates: 0, parked: 0, offsets: 300 })
  expect([...(await counts(bench)).values()].every(({ placed: times }) => times === 1)).toBe(true)
})
