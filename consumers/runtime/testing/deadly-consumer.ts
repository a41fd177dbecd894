import { defineConsumer } from '../handler.ts'
import { tallyConsumer } from './tally-consumer.ts'

/** `tallyConsumer`, except that orders of the customer `kills` end the process at once. */
export default () => {
  const { handlers, ...rest } = tallyConsumer('tester')
  return defineConsumer({
    ...rest,
    handlers: {
      OrderPlaced: (order, ...more) => {
        if (order.customerId === 'kills') process.kill(process.pid, 'SIGKILL')
        return handlers.OrderPlaced?.(order, ...more) ?? {}
      },
    },
  })
}
