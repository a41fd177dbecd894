import type { Encode } from '../../../schemas/codec/encoder.ts'
import { toHeaders } from '../../../schemas/envelope.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import type { EventData } from '../../../schemas/generated/events.ts'
import { topicOf } from '../../../schemas/topics.ts'
import type { UnnumberedEvent } from '../../outbox/outbox-batch.ts'

/** An event of this service for the outbox. @param time UTC epoch ms @param traceparent as the client sent it */
export function toEvent<T extends 'OrderPlaced' | 'CancellationRequested'>(
  encode: Encode,
  type: T,
  data: EventData[T],
  { time, traceparent }: { time: number; traceparent: string | undefined },
): UnnumberedEvent {
  const { orderId } = data
  const id = newEventId(time)
  const headers = toHeaders({
    id,
    type,
    source: '/tally/orders-api',
    time,
    subject: orderId,
    correlationId: orderId,
    // W3C Trace Context: ignore a malformed one
    traceparent: /^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/.test(traceparent ?? '') ? traceparent : undefined,
  })
  return { eventId: id, topic: topicOf(type).name, key: orderId, headers, value: encode(type, data) }
}
