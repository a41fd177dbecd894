import { createRequire } from 'node:module'
import type { Batch } from 'kafkajs'
import type { StoredRecord } from './broker.ts'

interface Partition {
  partition: number
  highWatermark: string
  messages: readonly StoredRecord[]
  abortedTransactions: []
}

/** The batch class of kafkajs, which hides control records; it has no types. */
export interface FetchedBatch extends Batch {
  isEmptyDueToFiltering(): boolean
}

export const FetchedBatch = createRequire(import.meta.url)('kafkajs/src/consumer/batch.js') as new (
  topic: string,
  fetchedOffset: string,
  data: Partition,
) => FetchedBatch
