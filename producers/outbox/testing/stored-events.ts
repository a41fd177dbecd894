import type { Tx } from '../../../infra/postgres/transaction.ts'
import { packRecords } from '../../../infra/kafka/patches/produce/packed-records.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import { eventsOf } from '../outbox-batch.ts'
import type { OutboxBatch, OutboxEvent } from '../outbox-batch.ts'
import { readLane, readWaitingLanes } from '../outbox-table.ts'

/** A batch with one event, whose headers say its number and an id. */
export function batchOf(lane: number, seq: number, event: Partial<OutboxEvent> = {}): OutboxBatch {
  const { topic = 'orders', key = 'k', headers = {}, value = Buffer.from('x'), eventId = newEventId() } = event
  const [packed] = packRecords([{ key, value, headers: { ce_id: eventId, ce_sequence: String(seq), ...headers } }])
  return { ...packed!, lane, topic, writtenAt: Date.now(), first: seq, last: seq }
}

/** All events that wait in the outbox, by lane and number. */
export async function readEvents(db: Tx): Promise<OutboxEvent[]> {
  const events: OutboxEvent[] = []
  for (const lane of await readWaitingLanes(db))
    for await (const batch of readLane(db, lane)) events.push(...eventsOf(batch))
  return events
}
