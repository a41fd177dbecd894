import { expect, test } from '@jest/globals'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { countTable, tallyConsumer } from '../testing/tally-consumer.ts'
import { openTestBench } from '../testing/test-bench.ts'

const pending = 1_500

test('calls that do not fit in memory are all made, without any other traffic', async () => {
  await using bench = await openTestBench('tester', countTable, 1)
  await bench.pool.query(
    `insert into call (id, lane, key, kind, request, cause)
     select id, 0, 'o-' || n, 'ask', '{}', json_build_object('id', id, 'eventId', id, 'time', $2::bigint, 'chainTime', $2::bigint, 'correlationId', 'o-' || n)
     from (select n, gen_random_uuid() as id from generate_series(1, $1) as n) as made`,
    [pending, Date.now()],
  )
  await bench.replica(tallyConsumer('tester'))
  await waitUntil('all calls are answered', async () => {
    const { rows } = await bench.pool.query<{ left: number }>('select count(*) as left from call')
    return rows[0]?.left === 0
  })
  const { rows } = await bench.pool.query('select sum(answered)::int as answered, count(*)::int as keys from count')
  expect(rows).toEqual([{ answered: pending, keys: pending }])
})
