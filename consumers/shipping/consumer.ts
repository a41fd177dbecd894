import type { Config } from '../../infra/config.ts'
import { defineConsumer } from '../runtime/handler.ts'
import { CustomerKeys } from '../../infra/security/customer-keys/customer-keys.ts'
import { schemaName } from '../runtime/load-consumer.ts'
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
import { openingCarrier } from './opening-carrier.ts'
import { shipmentTable } from './shipment-table.ts'

/** Ships an order once it is paid and reserved; cancels it if that takes too long or the customer asks in time. */
export default (config: Config) => {
  const keys = new CustomerKeys(schemaName(config.namespace, 'orders'))
  const make = openingCarrier(createCarrier(config.carrier), keys)
  const limitMs = config.orderTimeoutMs
  return defineConsumer<Shipment>({
    group: 'shipping',
    effects: 'external',
    alsoReads: { orders: ['customer_key'] },
    state: shipmentTable,
    handlers: {
      OrderPlaced: onClock(limitMs, orderPlaced),
      CancellationRequested: onClock(limitMs, cancellationRequested),
      PaymentAuthorized: onClock(limitMs, paymentAuthorized),
      PaymentDeclined: onClock(limitMs, orderRejected),
      StockReserved: onClock(limitMs, stockReserved),
      StockRejected: onClock(limitMs, orderRejected),
    },
    calls: { schedule: { make, handle: shipmentAnswered, idempotent: true } },
    timers: { overdue: orderOverdue(limitMs) },
  })
}
