import { expect, test } from '@jest/globals'
import { observeRequests } from '../../../infra/monitor/kafka-requests.ts'
import { openMonitor } from '../../../infra/monitor/monitor.ts'
import type { Monitor } from '../../../infra/monitor/monitor.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { countTable, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

const group = 'tester'

const open = () => openMonitor({ service: group, replica: `${group}@test:1`, host: '127.0.0.1', port: 0 })

/** The samples of a metric, by labels: `{lane="0"}`. */
async function scrape({ url }: Monitor, name: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const samples = [...text.matchAll(/^(\w+)(\{.*\})? (\S+)$/gm)].filter(([, found]) => found === name)
  return Object.fromEntries(samples.map(([, , labels = '', value]) => [labels, Number(value)]))
}

const total = (samples: Record<string, number>) => Object.values(samples).reduce((sum, value) => sum + value, 0)

test('what became of every input, the lag and the state of lanes can be scraped; a stopped replica shows no lanes', async () => {
  await using bench = await openTestBench(group, countTable, 3, { TALLY_RETRY_LIMIT: '0' })
  await using stack = new AsyncDisposableStack()
  const monitor = await open()
  stack.defer(() => monitor.stop())
  if (monitor.meter) stack.defer(observeRequests(monitor.meter))
  const id = newEventId()
  const [twice] = orders(1)
  const counted = orders(20)
  await bench.publish([
    ...counted,
    { ...twice!, id },
    { ...twice!, id },
    ...orders(1, 'throws'),
    ...orders(2, 'asks'),
    ...orders(1, 'waits'),
  ])
  const replica = await bench.replica(tallyConsumer(group), 'monitored', { meter: monitor.meter })
  await bench.settled(['orders'])
  await waitUntil(
    'the timer has fired',
    async () => (await scrape(monitor, 'tally_inputs_total'))['{source="timer",outcome="taken"}'] === 1,
  )
  expect(await scrape(monitor, 'tally_inputs_total')).toEqual({
    '{source="record",outcome="taken"}': 24,
    '{source="record",outcome="duplicate"}': 1,
    '{source="record",outcome="parked"}': 1,
    '{source="answer",outcome="taken"}': 2,
    '{source="timer",outcome="taken"}': 1,
  })
  expect(total(await scrape(monitor, 'tally_transaction_inputs_sum'))).toBe(29)
  expect(total(await scrape(monitor, 'tally_publish_events_sum'))).toBe(26)
  expect(await scrape(monitor, 'tally_call_duration_seconds_count')).toEqual({ '{kind="ask",outcome="answered"}': 2 })
  expect(await scrape(monitor, 'tally_lanes')).toEqual({ '{state="live"}': 3 })
  const requests = await scrape(monitor, 'tally_kafka_requests_total')
  for (const kind of ['Fetch', 'Produce', 'Heartbeat']) expect(requests[`{request="${kind}"}`]).toBeGreaterThan(0)
  const lag = await scrape(monitor, 'tally_lane_lag_events')
  expect(Object.keys(lag).length).toBeGreaterThan(0)
  expect(total(lag)).toBe(0)
  expect(total(await scrape(monitor, 'tally_outbox_waiting_events'))).toBe(0)
  await waitUntil(
    'the parked event is counted',
    async () => (await scrape(monitor, 'tally_parked_events'))['{waits_for="operator"}'] === 1,
  )
  await replica.stop()
  expect(await scrape(monitor, 'tally_lanes')).toEqual({})
})

test('a paused lane shows how much waits and for how long, without another fetch', async () => {
  await using bench = await openTestBench(group, countTable, 1)
  await using stack = new AsyncDisposableStack()
  const monitor = await open()
  stack.defer(() => monitor.stop())
  await bench.replica(tallyConsumer(group), 'monitored', { meter: monitor.meter })
  await bench.publish(orders(5))
  await bench.settled(['orders'])
  await bench.pool.query(`insert into pause (lane, reason, actor) values (0, 'test', 'test')`)
  await waitUntil('the lane is paused', async () => (await scrape(monitor, 'tally_lanes'))['{state="paused"}'] === 1)
  await bench.publish(orders(7))
  await waitUntil('the lag is seen', async () => total(await scrape(monitor, 'tally_lane_lag_events')) === 7)
  const seconds = async () => total(await scrape(monitor, 'tally_lane_lag_seconds'))
  const before = await seconds()
  await waitUntil('it grows', async () => (await seconds()) > before)
})
