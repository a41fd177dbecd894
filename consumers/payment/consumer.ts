import type { Config } from '../../infra/config.ts'
import { defineConsumer } from '../runtime/handler.ts'
import {
  authorizationAnswered,
  captureAnswered,
  orderEnded,
  orderPlaced,
  shipmentScheduled,
  voidAnswered,
} from './decide-payment.ts'
import type { Payment } from './decide-payment.ts'
import { createGateway } from './gateway.ts'
import { paymentTable } from './payment-table.ts'

/** Authorizes the payment of an order, captures it when the goods are shipped and voids it when they are not. */
export default (config: Config) => {
  const gateway = createGateway(config.gateway)
  return defineConsumer<Payment>({
    group: 'payment',
    effects: 'external',
    state: paymentTable,
    handlers: {
      OrderPlaced: orderPlaced,
      StockRejected: orderEnded,
      FulfilmentCancelled: orderEnded,
      ShipmentScheduled: shipmentScheduled,
    },
    calls: {
      authorize: { make: gateway.authorize, handle: authorizationAnswered, idempotent: true },
      void: { make: gateway.void, handle: voidAnswered, idempotent: true },
      capture: { make: gateway.capture, handle: captureAnswered, idempotent: true },
    },
  })
}
