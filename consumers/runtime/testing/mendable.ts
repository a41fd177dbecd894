import type { ConsumerDefinition } from '../handler.ts'
import { tallyConsumer } from './tally-consumer.ts'
import type { Count } from './tally-consumer.ts'

/** As `tallyConsumer`, but an order of customer `throws` fails only as long as `broken` says so. */
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
