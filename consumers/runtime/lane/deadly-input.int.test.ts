import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { forkVictim } from '../testing/crash/process.ts'
import { watchSettling } from '../testing/crash/settled.ts'
import { counts } from '../testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

const lanes = 6
/** Processes an event may kill before it is identified. */
const enough = 12

test('the event that kills the process is found among those of many lanes, and no other is parked', async () => {
  await using bench = await openTestBench('tester', countTable, lanes)
  const [deadly] = orders(1, 'kills')
  const others = orders(120)
  await bench.publish([deadly!, ...others])
  await using watch = await watchSettling(bench, tallyConsumer('tester'))
  const consumer = join(import.meta.dirname, '../testing/deadly-consumer.ts')
  let deaths = 0
  for (; deaths < enough; deaths++) {
    using victim = forkVictim(consumer, `life ${deaths + 1}`, bench.sandbox.env)
    victim.start()
    while (victim.alive && !(await watch.settled()));
    if (!victim.alive) continue
    victim.stop()
    await victim.ended
    break
  }
  expect(deaths).toBeLessThan(enough)
  const { rows } = await bench.pool.query('select key, reason from parked')
  expect(rows).toEqual([{ key: deadly!.data.orderId, reason: 'KILLED_PROCESS' }])
  const found = await counts(bench)
  expect(others.map(({ data }) => found.get(data.orderId)?.placed)).toEqual(others.map(() => 1))
}, 120_000)
