import { expect, test } from '@jest/globals'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { topicOf } from '../../../schemas/topics.ts'
import { ledgerSums } from '../../runtime/testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../runtime/testing/test-bench.ts'
import { readGroupAccount } from '../group-account.ts'
import type { Group } from '../groups.ts'
import { tilingFaults } from '../tiling.ts'
import { planSkip, skipOffsets } from './skip-offsets.ts'

const why = { actor: 'ann', why: 'a test wrote junk' }
const junk = 1_200

function groupOf({ sandbox: { namespace } }: TestBench): Group {
  const topics = new Set([topicOf('OrderPlaced').name])
  return { name: 'tester', schema: `"${namespace}tester"`, handles: new Set(['OrderPlaced']), begins: 'first', topics }
}

async function publishJunk({ sandbox: { kafka, namespace } }: TestBench, count: number): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const messages = Array.from({ length: count }, (_, n) => ({
    key: `junk-${n}`,
    value: 'no event at all',
    partition: 0,
  }))
  await producer.send({ topic: `${namespace}orders`, messages })
  await producer.disconnect()
}

const position = async ({ pool }: TestBench): Promise<number> => {
  const { rows } = await pool.query<{ next: number }>('select coalesce(max(next_offset), 0) as next from ledger')
  return rows[0]?.next ?? 0
}

test('1,200 junk records park up to the limit, an operator skips the others, and the orders behind them flow', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const group = groupOf(bench)
  const { parkedLimit } = bench.config.failure
  await publishJunk(bench, junk)
  await bench.publish(orders(20))
  const end = junk + 20
  const startedAt = performance.now()
  await bench.replica(tallyConsumer('tester'))
  await waitUntil('as much is parked as may be', async () => (await position(bench)) === parkedLimit)

  const asked = { topic: 'orders', partition: 0, from: parkedLimit, to: junk }
  expect(await planSkip(bench.pool, group, { ...asked, from: 5 }, end)).toEqual(asked)
  expect(await skipOffsets(bench.pool, group, asked, end, why)).toEqual(asked)
  await bench.settled(['orders'])
  expect(performance.now() - startedAt).toBeLessThan(30_000)

  expect(await ledgerSums(bench)).toMatchObject({ taken: 20, parked: parkedLimit, offsets: end })
  const { ledger, skipped } = await readGroupAccount(bench.pool, group)
  expect(skipped).toMatchObject([{ ...asked, ...why }])
  expect(tilingFaults('orders/0', ledger.get('orders/0') ?? [], { low: 0, end })).toEqual([])
})

test('only offsets at which the lane stands are skipped, and nothing that is yet to come', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const group = groupOf(bench)
  const skip = (from: number, to: number, topic = 'orders') =>
    skipOffsets(bench.pool, group, { topic, partition: 0, from, to }, 10, why)
  await expect(skip(0, 5)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' }) // Never read
  await bench.publish(orders(10))
  const replica = await bench.replica(tallyConsumer('tester'))
  await bench.settled(['orders'])
  await replica.stop()
  const before = await bench.pool.query('select epoch from lane')
  await expect(skip(0, 10)).rejects.toThrow('has passed these offsets already: it stands at 10')
  await expect(skip(10, 12)).rejects.toThrow('what is yet to come cannot be skipped')
  await expect(skip(0, 1, 'payments')).rejects.toMatchObject({ code: 'USAGE' })
  await bench.pool.query('update ledger set next_offset = 4, taken = 4')
  await expect(skip(6, 8)).rejects.toThrow('stands at offset 4 and has not reached 6 yet')
  expect((await bench.pool.query('select epoch from lane')).rows).toEqual(before.rows)
  expect((await bench.pool.query('select from skipped')).rowCount).toBe(0)
})
