import type { Config } from '../../infra/config.ts'
import { defineConsumer } from '../runtime/handler.ts'
import { orderEnded, orderPlaced, shipmentScheduled, stockReplenished } from './decide-inventory.ts'
import type { Reservation, Stock } from './decide-inventory.ts'
import { reservationTable } from './reservation-table.ts'
import { stockTable } from './stock-table.ts'

/** Reserves the stock of an order, then releases or ships it. */
export default (_config: Config) =>
  defineConsumer<Reservation, Stock>({
    group: 'inventory',
    effects: 'local',
    state: reservationTable,
    shared: stockTable,
    handlers: {
      OrderPlaced: orderPlaced,
      PaymentDeclined: orderEnded,
      FulfilmentCancelled: orderEnded,
      ShipmentScheduled: shipmentScheduled,
      StockReplenished: stockReplenished,
    },
  })
