import { TallyError } from '../../../../infra/errors.ts'
import type { Publication } from './publications.ts'
import type { TestBench } from '../test-bench.ts'

/**
 * Checks what holds for every idle consumer: the ledger's spans tile each partition, nothing is parked, and each number of a
 * lane's outbox was published under exactly one id. Repeats on the topic are allowed.
 * @param publications all publications so far
 * @throws TallyError INVARIANT listing every violation
 */
export async function checkBooks({ pool }: TestBench, publications: readonly Publication[]): Promise<void> {
  const wrong = [...(await brokenSpans(pool)), ...(await parkedEvents(pool)), ...(await missing(pool, publications))]
  if (wrong.length > 0) throw new TallyError('INVARIANT', wrong.join('; '))
}

async function brokenSpans(pool: TestBench['pool']): Promise<string[]> {
  const { rows } = await pool.query<{ text: string }>(
    `select format('%s/%s: epoch %s begins at %s instead of %s', topic, partition, epoch, first_offset, expected) as text
     from (select *, lag(next_offset, 1, 0::bigint) over (partition by topic, partition order by epoch) as expected
           from ledger) as span
     where first_offset <> expected`,
  )
  return rows.map(({ text }) => text)
}

async function parkedEvents(pool: TestBench['pool']): Promise<string[]> {
  const { rows } = await pool.query<{ text: string }>(
    `select format('%s is parked: %s', key, reason) as text from parked`,
  )
  return rows.map(({ text }) => text)
}

async function missing(pool: TestBench['pool'], publications: readonly Publication[]): Promise<string[]> {
  const idOf = new Map<string, string>()
  const wrong: string[] = []
  for (const { lane, sequence, id } of publications) {
    const at = `${lane} number ${sequence}`
    if ((idOf.get(at) ?? id) !== id) wrong.push(`${at} is two events, ${idOf.get(at)} and ${id}`)
    idOf.set(at, id)
  }
  const ids = new Set(idOf.values())
  if (ids.size < idOf.size) wrong.push(`${idOf.size - ids.size} events were published under two numbers`)
  const { rows } = await pool.query<{ events: number }>(
    'select coalesce(sum(next_seq - 1), 0)::int as events from lane',
  )
  if (rows[0]?.events !== idOf.size) wrong.push(`${rows[0]?.events} events were decided and ${idOf.size} published`)
  return wrong
}
