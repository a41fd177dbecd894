import { defineConsumer } from '../runtime/handler.ts'
import { mailOnce } from './decide-mail.ts'
import { mailTable } from './mail-table.ts'

/** Subjects of mails about cancellations that the customer did not request, by reason. */
const cancelled: Readonly<Record<string, string>> = {
  carrier_refused: 'The carrier cannot deliver your order, so it ends here and you pay nothing',
  timed_out: 'We could not prepare your order in time, so it ends here and you pay nothing',
}

/** Writes the mails that a customer would get. Nothing depends on it: a minimal consumer to copy from. */
export default () =>
  defineConsumer({
    group: 'notifications',
    effects: 'none',
    state: mailTable,
    handlers: {
      OrderPlaced: mailOnce('received', () => 'We have received your order'),
      ShipmentScheduled: mailOnce('shipped', ({ carrier }) => `Your order is on its way with ${carrier}`),
      PaymentDeclined: mailOnce('payment_declined', () => 'Your payment was declined, so your order ends here'),
      StockRejected: mailOnce('out_of_stock', () => 'We are out of stock, so your order ends here'),
      FulfilmentCancelled: mailOnce('cancelled', ({ reason }) => cancelled[reason] ?? 'Your order is cancelled'),
    },
  })
