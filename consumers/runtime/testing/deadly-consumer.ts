import { defineConsumer } from '../handler.ts'
import { tallyConsumer } from './tally-consumer.ts'

/** The test consumer, but its process dies at once of orders of the customer `kills`. */
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
