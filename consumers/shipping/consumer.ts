import type { Config } from '../../infra/config.ts'
import { defineConsumer } from '../runtime/handler.ts'
import { createCarrier } from './carrier.ts'
import {
  cancellationRequested,
  onClock,
  orderOverdue,
  orderPlaced,
  orderRejected,
  paymentAuthorized,
  shipmentAnswered,
  stockReserved,
} from './decide-shipping.ts'
import type { Shipment } from './decide-shipping.ts'
import { shipmentTable } from './shipment-table.ts'

/** Ships an order once it is paid and reserved; cancels it if that takes too long or the customer asks in time. */
export default (config: Config) => {
  const carrier = createCarrier(config.carrier)
  const limitMs = config.orderTimeoutMs
  return defineConsumer<Shipment>({
    group: 'shipping',
    effects: 'external',
    state: shipmentTable,
    handlers: {
      OrderPlaced: onClock(limitMs, orderPlaced),
      CancellationRequested: onClock(limitMs, cancellationRequested),
      PaymentAuthorized: onClock(limitMs, paymentAuthorized),
      PaymentDeclined: onClock(limitMs, orderRejected),
      StockReserved: onClock(limitMs, stockReserved),
      StockRejected: onClock(limitMs, orderRejected),
    },
    calls: { schedule: { make: carrier.schedule, handle: shipmentAnswered, idempotent: true } },
    timers: { overdue: orderOverdue(limitMs) },
  })
}
