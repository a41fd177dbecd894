import type { EventType } from '../../../schemas/generated/events.ts'
import { count, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import { finalStateOf } from '../fold.ts'
import type { OrderFacts } from '../fold.ts'
import type { Evidence } from '../evidence.ts'

/** Each order has the events its final state needs, each once, and none that contradicts it. */
export const eventSets = ({ history }: Evidence): Finding =>
  judge('event-sets', 'its events are those its final state needs', (report) => {
    let events = 0
    for (const [orderId, facts] of history.fold.orders) {
      for (const n of facts.counts.values()) events += n
      for (const fault of eventFaults(facts)) report(`${orderId}: ${fault}`)
      if (facts.placed.length > 1) report(`${orderId} was placed ${facts.placed.length} times: the first counts`, true)
    }
    return `${count(events)} events of orders`
  })

/** These alone may come more than once: each asks or answers anew; what a producer places twice, nobody acts on twice. */
const repeatable: ReadonlySet<EventType> = new Set(['OrderPlaced', 'CancellationRequested', 'CancellationRefused'])

const path: readonly EventType[] = [
  'OrderPlaced',
  'PaymentAuthorized',
  'StockReserved',
  'ShipmentScheduled',
  'PaymentCaptured',
]

/** Both can never be true of one order. */
const exclusive: readonly (readonly [EventType, EventType])[] = [
  ['PaymentAuthorized', 'PaymentDeclined'],
  ['StockReserved', 'StockRejected'],
  ['PaymentCaptured', 'PaymentVoided'],
  ['ShipmentScheduled', 'FulfilmentCancelled'],
]

/** The second undoes the first and needs it. */
const undone: readonly (readonly [EventType, EventType])[] = [
  ['PaymentAuthorized', 'PaymentVoided'],
  ['StockReserved', 'StockReleased'],
]

/** Why an order may have been cancelled, and what must be there for it: without that nobody had a reason to. */
const grounds: Readonly<Record<string, (has: (type: EventType) => boolean) => boolean>> = {
  requested: (has) => has('CancellationRequested'),
  carrier_refused: (has) => parts.every(has),
  timed_out: (has) => parts.some(has), // The others may have come too late
}

/** What shipping gathers before it asks the carrier. */
const parts: readonly EventType[] = ['OrderPlaced', 'PaymentAuthorized', 'StockReserved']

/** What is wrong with the set of an order's events. An order that has not ended is judged only by what can never be right. */
export function eventFaults({ counts, cancelledFor }: Pick<OrderFacts, 'counts' | 'cancelledFor'>): string[] {
  const has = (type: EventType) => counts.has(type)
  const faults: string[] = []
  for (const [type, n] of counts) if (n > 1 && !repeatable.has(type)) faults.push(`${n} different ${type}`)
  for (const [one, other] of exclusive) if (has(one) && has(other)) faults.push(`both ${one} and ${other}`)
  for (const [done, undo] of undone) if (has(undo) && !has(done)) faults.push(`${undo} without ${done}`)
  for (const reason of cancelledFor) if (!grounds[reason]?.(has)) faults.push(`cancelled as ${reason} without grounds`)

  const state = finalStateOf({ counts })
  if (state === 'completed') {
    for (const type of path) if (!has(type)) faults.push(`completed without ${type}`)
    for (const type of counts.keys())
      if (!path.includes(type) && !repeatable.has(type)) faults.push(`completed and ${type}`)
  } else if (state) {
    if (has('ShipmentScheduled')) faults.push(`${state} and ShipmentScheduled`)
    for (const [done, undo] of undone) if (has(done) && !has(undo)) faults.push(`${state}, ${done} and no ${undo}`)
  }
  return faults
}
