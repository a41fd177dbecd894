import { count, countBy, counted, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import { finalStateOf } from '../fold.ts'
import type { Evidence } from '../evidence.ts'

/** Each order is completed, cancelled or rejected. */
export const ordersEnded = ({ history }: Evidence): Finding =>
  judge('orders-ended', 'every order has ended', (report) => {
    const { orders } = history.fold
    for (const [orderId, facts] of orders) {
      if (!finalStateOf(facts)) report(`${orderId} is pending after ${[...facts.counts.keys()].join(', ')}`)
    }
    return `${count(orders.size)} orders: ${counted(countBy(orders.values(), (facts) => finalStateOf(facts) ?? 'pending'))}`
  })
