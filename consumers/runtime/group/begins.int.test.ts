import { expect, test } from '@jest/globals'
import { ledgerSums } from '../testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

const group = 'tester'
const open = () => openTestBench(group, countTable)
const fromNow = { ...tallyConsumer(group), begins: 'now' as const }

test('a group processes events written before its first start', async () => {
  await using bench = await open()
  await bench.publish(orders(30))
  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 30, ignored: 0, offsets: 30 })
})

test('a group that begins now processes only later events; its ledger counts the others as ignored', async () => {
  await using bench = await open()
  await bench.publish(orders(30))
  const first = await bench.replica(fromNow)
  await bench.settled(['orders'])
  await bench.publish(orders(20))
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 20, ignored: 30, duplicates: 0, offsets: 50 })

  await first.stop()
  await bench.publish(orders(10))
  await bench.replica(fromNow)
  await bench.settled(['orders'])
  expect(await ledgerSums(bench)).toMatchObject({ taken: 30, ignored: 30, duplicates: 0, offsets: 60 })
})
