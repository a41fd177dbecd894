import { readTopic } from '../../../infra/testing/read-topic.ts'
import type { Count } from './tally-consumer.ts'
import type { TestBench } from './test-bench.ts'

/** The test consumer's rows by order id. */
export async function counts({ pool }: TestBench): Promise<Map<string, Count>> {
  const { rows } = await pool.query<Count & { key: string }>('select * from count')
  return new Map(rows.map(({ key, ...count }) => [key, count]))
}

/** Ledger totals over all lanes and owners. */
export async function ledgerSums({
  pool,
}: TestBench): Promise<Record<'taken' | 'duplicates' | 'ignored' | 'parked' | 'offsets', number> | undefined> {
  const { rows } = await pool.query<Record<'taken' | 'duplicates' | 'ignored' | 'parked' | 'offsets', number>>(
    `select sum(taken)::int as taken, sum(duplicates)::int as duplicates, sum(ignored)::int as ignored,
       sum(parked)::int as parked, sum(next_offset - first_offset)::int as offsets from ledger`,
  )
  return rows[0]
}

/** Ids of the events on a topic, from offset 0 to its current end. */
export async function published({ sandbox: { kafka, namespace } }: TestBench, topic: string): Promise<string[]> {
  const records = await readTopic(kafka, `${namespace}${topic}`)
  return records.map(({ headers }) => String(headers?.['ce_id']))
}
