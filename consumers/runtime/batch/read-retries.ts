import type { Batch, Retry } from '../model.ts'
import { readRecordInput } from './read-records.ts'
import type { ReadOptions } from './read-records.ts'
import { restoreIntent, restoreMessage } from '../tables/parked-row.ts'
import type { ParkedRow } from '../tables/parked-row.ts'

/**
 * Turns parked rows back into inputs, using the current schemas and code.
 * @throws TallyError UNREACHABLE while the registry does not answer
 */
export async function readRetries(
  rows: readonly ParkedRow[],
  options: Pick<ReadOptions, 'codec' | 'partitions' | 'killer'>,
): Promise<Extract<Batch, { source: 'parked' }>> {
  const { codec } = options
  const records = rows.filter(({ source }) => source === 'record')
  await codec.learn(records.map(({ value }) => codec.schemaIdOf(value)).filter((id) => id !== undefined))
  return { source: 'parked', inputs: rows.map((row) => readRetry(row, options)) }
}

function readRetry(row: ParkedRow, options: Pick<ReadOptions, 'codec' | 'partitions' | 'killer'>): Retry {
  const { id: parkedId, revision, attempts, key: parkedKey, eventId: parkedInboxId, topic, partition } = row
  const retry = { parkedId, revision, attempts, parkedKey, parkedInboxId }
  if (row.source !== 'record' || topic === null || partition === null) return { ...retry, input: restoreIntent(row) }
  const input = readRecordInput(restoreMessage(row), () => row.eventId, {
    ...options,
    topic,
    partition,
    lane: row.lane,
  })
  // The key of an unreadable record may have been replaced when it was parked
  return { ...retry, input: input.event ? input : { ...input, key: parkedKey } }
}
