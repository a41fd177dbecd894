import type { EventData, EventType } from '../../../schemas/generated/events.ts'
import { count, explaining, judge } from '../finding.ts'
import type { Finding } from '../finding.ts'
import { finalStateOf } from '../fold.ts'
import type { OrderFacts } from '../fold.ts'
import type { Evidence } from '../evidence.ts'

/** Each order has the events that its final state requires, each once, and none that contradicts it. */
export const eventSets = ({ history, causeOf }: Evidence): Finding =>
  judge('event-sets', 'each order has the events its final state requires', (report) => {
    const reportOf = explaining(report, causeOf)
    let events = 0
    for (const [orderId, facts] of history.fold.orders) {
      for (const n of facts.counts.values()) events += n
      for (const fault of eventFaults(facts)) reportOf(orderId, fault)
      if (facts.placed.length > 1) report(`${orderId} was placed ${facts.placed.length} times: the first counts`, true)
    }
    return `${count(events)} events of orders`
  })

type OrderEventType = { [T in EventType]: EventData[T] extends { orderId: string } ? T : never }[EventType]

interface Rule {
  /** An order may have several of these events. */
  many?: true
  /** Whether a completed order must, may or must not have it. */
  completed: 'required' | 'allowed' | 'excluded'
}

/** What an order may have of each type. A new event about orders needs a line here: the type check asks for it. */
const rules: Readonly<Record<OrderEventType, Rule>> = {
  OrderPlaced: { many: true, completed: 'required' }, // A second one is reported separately; services ignore it
  CancellationRequested: { many: true, completed: 'allowed' },
  PaymentAuthorized: { completed: 'required' },
  PaymentDeclined: { completed: 'excluded' },
  PaymentVoided: { completed: 'excluded' },
  PaymentCaptured: { completed: 'required' },
  StockReserved: { completed: 'required' },
  StockRejected: { completed: 'excluded' },
  StockReleased: { completed: 'excluded' },
  ShipmentScheduled: { completed: 'required' },
  FulfilmentCancelled: { completed: 'excluded' },
  CancellationRefused: { many: true, completed: 'allowed' },
}

const ruleOf = (type: EventType): Rule | undefined => (type in rules ? rules[type as OrderEventType] : undefined)

/** The types that every completed order has. */
const path = (Object.keys(rules) as OrderEventType[]).filter((type) => rules[type].completed === 'required')

/** Pairs of events that exclude each other. */
const exclusive: readonly (readonly [EventType, EventType])[] = [
  ['PaymentAuthorized', 'PaymentDeclined'],
  ['StockReserved', 'StockRejected'],
  ['PaymentCaptured', 'PaymentVoided'],
  ['ShipmentScheduled', 'FulfilmentCancelled'],
]

/** Pairs in which the second event undoes the first and requires it. */
const undone: readonly (readonly [EventType, EventType])[] = [
  ['PaymentAuthorized', 'PaymentVoided'],
  ['StockReserved', 'StockReleased'],
]

/** For each reason to cancel an order: whether the other events justify it. */
const grounds: Readonly<Record<string, (has: (type: EventType) => boolean) => boolean>> = {
  requested: (has) => has('CancellationRequested'),
  carrier_refused: (has) => parts.every(has),
  timed_out: (has) => parts.some(has), // The missing part may have arrived after the deadline
}

/** The events that shipping needs before it calls the carrier. */
const parts: readonly EventType[] = ['OrderPlaced', 'PaymentAuthorized', 'StockReserved']

/** Contradictions in the set of an order's events. For a pending order, only what no later event can mend. */
export function eventFaults({ counts, cancelledFor }: Pick<OrderFacts, 'counts' | 'cancelledFor'>): string[] {
  const has = (type: EventType) => counts.has(type)
  const faults: string[] = []
  for (const [type, n] of counts) if (n > 1 && !ruleOf(type)?.many) faults.push(`${n} different ${type}`)
  for (const [one, other] of exclusive) if (has(one) && has(other)) faults.push(`both ${one} and ${other}`)
  for (const [done, undo] of undone) if (has(undo) && !has(done)) faults.push(`${undo} without ${done}`)
  for (const reason of cancelledFor) if (!grounds[reason]?.(has)) faults.push(`cancelled as ${reason} without grounds`)

  const state = finalStateOf({ counts })
  if (state === 'completed') {
    for (const type of path) if (!has(type)) faults.push(`completed without ${type}`)
    for (const type of counts.keys()) if (ruleOf(type)?.completed === 'excluded') faults.push(`completed and ${type}`)
  } else if (state) {
    if (has('ShipmentScheduled')) faults.push(`${state} and ShipmentScheduled`)
    for (const [done, undo] of undone) if (has(done) && !has(undo)) faults.push(`${state}, ${done} and no ${undo}`)
  }
  return faults
}
