import { newEventId } from '../../../schemas/event-id.ts'
import { orderPlaced } from '../../runtime/testing/tally-consumer.ts'
import type { Published } from '../../runtime/testing/test-bench.ts'

/** Orders with events of one topic each, so that their order is certain: placed, then cancelled, then cancelled again. */
export const ordersToForward = (count: number): Required<Published>[] =>
  Array.from({ length: count }, () => newEventId()).flatMap((orderId) => {
    const cancellation = { orderId, reason: 'customer', requestedAt: Date.now() }
    const events: Published[] = [
      orderPlaced(orderId),
      { type: 'CancellationRequested', data: cancellation },
      { type: 'CancellationRequested', data: cancellation },
    ]
    return events.map((event) => ({ ...event, id: newEventId() }))
  })
