import type { ConsumerDefinition } from '../handler.ts'
import { tallyConsumer } from './tally-consumer.ts'
import type { Count } from './tally-consumer.ts'

/** `tallyConsumer`, except that orders of customer `throws` fail only while `broken` returns true. */
export function mendable(group: string, broken: () => boolean): ConsumerDefinition<Count> {
  const definition = tallyConsumer(group)
  const handle = definition.handlers.OrderPlaced!
  return {
    ...definition,
    handlers: {
      OrderPlaced: (order, state, context, shared) =>
        handle({ ...order, customerId: broken() ? order.customerId : 'counts' }, state, context, shared),
    },
  }
}
