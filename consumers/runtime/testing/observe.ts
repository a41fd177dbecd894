import { waitUntil } from '../../../infra/testing/wait-until.ts'
import type { Count } from './tally-consumer.ts'
import type { TestBench } from './test-bench.ts'

/** The test consumer's rows by order id. */
export async function counts({ pool }: TestBench): Promise<Map<string, Count>> {
  const { rows } = await pool.query<Count & { key: string }>('select * from count')
  return new Map(rows.map(({ key, ...count }) => [key, count]))
}

/** What became of all offsets, over all lanes and owners. */
export async function ledgerSums({
  pool,
}: TestBench): Promise<Record<'taken' | 'duplicates' | 'ignored' | 'parked' | 'offsets', number> | undefined> {
  const { rows } = await pool.query<Record<'taken' | 'duplicates' | 'ignored' | 'parked' | 'offsets', number>>(
    `select sum(taken)::int as taken, sum(duplicates)::int as duplicates, sum(ignored)::int as ignored,
       sum(parked)::int as parked, sum(next_offset - first_offset)::int as offsets from ledger`,
  )
  return rows[0]
}

/** Ids of the events on a topic, from offset 0 to its end now. */
export async function published({ sandbox: { kafka, namespace } }: TestBench, topic: string): Promise<string[]> {
  const admin = kafka.admin()
  const consumer = kafka.consumer({ groupId: `${namespace}reader-${crypto.randomUUID()}`, maxWaitTimeInMs: 50 })
  await Promise.all([admin.connect(), consumer.connect()])
  try {
    const ends = await admin.fetchTopicOffsets(`${namespace}${topic}`)
    const expected = ends.reduce((sum, { high }) => sum + Number(high), 0)
    const ids: string[] = []
    await consumer.subscribe({ topics: [`${namespace}${topic}`], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => void ids.push(String(message.headers?.['ce_id'])),
    })
    await waitUntil(`${expected} records of ${topic}`, () => ids.length >= expected)
    return ids
  } finally {
    await Promise.all([admin.disconnect(), consumer.disconnect()])
  }
}
