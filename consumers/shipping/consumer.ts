import type { Config } from '../../infra/config.ts'
import { defineConsumer } from '../runtime/handler.ts'
import { createCarrier } from './carrier.ts'
import {
  cancellationRequested,
  orderPlaced,
  orderRejected,
  paymentAuthorized,
  shipmentAnswered,
  stockReserved,
} from './decide-shipping.ts'
import type { Shipment } from './decide-shipping.ts'
import { shipmentTable } from './shipment-state.ts'

/** Has an order delivered once it is paid for and set aside, and decides what becomes of a cancellation. */
export default (config: Config) => {
  const carrier = createCarrier(config.carrier)
  return defineConsumer<Shipment>({
    group: 'shipping',
    state: shipmentTable,
    handlers: {
      OrderPlaced: orderPlaced,
      CancellationRequested: cancellationRequested,
      PaymentAuthorized: paymentAuthorized,
      PaymentDeclined: orderRejected,
      StockReserved: stockReserved,
      StockRejected: orderRejected,
    },
    calls: { schedule: { make: carrier.schedule, handle: shipmentAnswered } },
  })
}
