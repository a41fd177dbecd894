import { expect, test } from '@jest/globals'
import { countTable } from '../../consumers/runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../consumers/runtime/testing/test-bench.ts'
import { awaitDeliveries } from './await-deliveries.ts'

test('deliveries behind the open transaction of another producer are waited for', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  const { kafka, namespace } = bench.sandbox
  const topic = `${namespace}stock`
  const foreign = kafka.producer({
    transactionalId: `${namespace}foreign`,
    maxInFlightRequests: 1,
    idempotent: true,
    allowAutoTopicCreation: false,
  })
  await foreign.connect()
  const transaction = await foreign.transaction()
  await transaction.send({ topic, messages: [{ value: 'theirs', partition: 0 }] })
  await bench.publish([{ type: 'StockReplenished', data: { sku: 'T-1', quantity: 5, replenishedAt: Date.now() } }])

  const taken: number[] = []
  let arrived = false
  const waiting = awaitDeliveries({
    ...{ kafka, inventory: bench.pool, namespace, signal: AbortSignal.timeout(60_000) },
    onPhase: (_label, total) => {
      expect(total).toBe(2)
      return { update: (done) => void taken.push(done), finish: () => void (arrived = true) }
    },
  })
  const moves = (to: number) =>
    bench.pool.query(
      `insert into ledger (topic, partition, epoch, first_offset, next_offset, holes) values ('stock', 0, $1, 0, $1, $1)`,
      [to],
    )
  await moves(1) // Inventory has read up to the transaction and can read no further
  while (!taken.includes(1)) await Promise.race([waiting, new Promise(setImmediate)])
  expect(arrived).toBe(false)
  await transaction.abort()
  await foreign.disconnect()
  await moves(3)
  await waiting
  expect(arrived).toBe(true)
})
