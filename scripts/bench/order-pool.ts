import { generateEvents } from '../../producers/sample-data/event-generator.ts'
import type { Event } from '../../producers/sample-data/event-generator.ts'
import { seed } from './fill-orders.ts'

type Order = Extract<Event, { type: 'OrderPlaced' }>

/** Orders to publish, generated in advance: a few thousand, repeated under new ids. */
export function orderPool(events: number): (from: number, to: number) => Order[] {
  const made = [...generateEvents('OrderPlaced', { count: Math.min(events, 10_000), seed })].filter(
    (event) => event.type === 'OrderPlaced',
  )
  return (from, to) =>
    Array.from({ length: to - from }, (_, index) => {
      const order = made[(from + index) % made.length] as Order
      return { type: order.type, id: String(from + index), data: order.data }
    })
}
