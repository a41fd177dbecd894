import { count, counted, explaining, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import { finalStateOf } from '../fold.ts'
import type { Evidence } from '../evidence.ts'

/** Each order is completed, cancelled or rejected. */
export const ordersEnded = ({ history, tables, causeOf }: Evidence): Finding =>
  judge('orders-ended', 'every order has ended', (report) => {
    const { orders } = history.fold
    const reportOf = explaining(report, causeOf)
    const states = { completed: 0, rejected: 0, cancelled: 0, pending: 0 }
    let unplaced = 0
    for (const [orderId, facts] of orders) {
      const state = finalStateOf(facts) ?? 'pending'
      states[state]++
      if (facts.placed.length === 0) unplaced++ // A cancellation was requested for an order that does not exist
      if (state !== 'pending') continue
      const limit = tables.timeLimits.get(orderId)
      const until = limit ? `; it times out at ${limit.upAt} UTC` : ''
      reportOf(orderId, `pending after ${[...facts.counts.keys()].join(', ')}${until}`)
    }
    const ends = Object.entries(states).filter(([, n]) => n > 0)
    return `${count(orders.size)} orders: ${counted(new Map(ends))}${unplaced > 0 ? `, ${count(unplaced)} never placed` : ''}`
  })
