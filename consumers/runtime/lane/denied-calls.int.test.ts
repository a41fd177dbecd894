import { expect, test } from '@jest/globals'
import { TallyError } from '../../../infra/errors.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { counts } from '../testing/observe.ts'
import { countTable, orderPlaced, tallyConsumer } from '../testing/tally-consumer.ts'
import type { Ask } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

const group = 'tester'

test('a kind of call that is denied stops with a reason, and is made after a restart', async () => {
  await using bench = await openTestBench(group, countTable, 1)
  let asked = 0
  const denying: Ask = async () => {
    asked++
    throw new TallyError('DENIED', 'the bank refuses access (401)')
  }
  const before = await bench.replica(tallyConsumer(group, denying))
  const reasons = async () =>
    (await bench.pool.query<{ error: string }>('select last_error as error from call where attempts > 0')).rows
  await bench.publish([orderPlaced('o-1', 'asks')])
  await waitUntil('the reason is noted', async () => (await reasons()).length === 1)
  await bench.publish([orderPlaced('o-2', 'asks'), orderPlaced('o-3')])
  await waitUntil('other events flow', async () => (await counts(bench)).get('o-3')?.placed === 1)
  await waitUntil('its call waits, too', async () => (await bench.pool.query('select 1 from call')).rowCount === 2)
  expect(await reasons()).toEqual([{ error: 'the bank refuses access (401)' }])
  await before.stop()
  expect(asked).toBe(1)

  await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  const found = await counts(bench)
  expect(['o-1', 'o-2', 'o-3'].map((orderId) => found.get(orderId)?.answered)).toEqual([1, 1, 0])
})

test('calls of a denied kind do not take up the memory of the others', async () => {
  await using bench = await openTestBench(group, countTable, 1)
  await bench.pool.query(
    `insert into call (id, lane, key, kind, request, cause)
     select id, 0, 'o-' || n, 'bill', '{}', json_build_object('id', id, 'eventId', id, 'time', $1::bigint, 'chainTime', $1::bigint, 'correlationId', n)
     from (select n, gen_random_uuid() as id from generate_series(1, 1500) as n) as made`,
    [Date.now()],
  )
  const definition = tallyConsumer(group)
  const bill = {
    ...definition.calls?.['ask'],
    make: async () => {
      throw new TallyError('DENIED', 'the bank refuses access (403)')
    },
  }
  await bench.replica({ ...definition, calls: { ...definition.calls, bill } as typeof definition.calls })
  await bench.publish([orderPlaced('o-2000', 'asks')])
  await waitUntil('the other kind is answered', async () => (await counts(bench)).get('o-2000')?.answered === 1)
})
