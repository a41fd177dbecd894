import { traceIdOf } from '../../../schemas/trace-context.ts'
import type { Way } from './find-way.ts'

/** An event of an order. */
export interface TracedEvent {
  readonly id: string
  readonly type: string
  /** Who wrote it: a group, `orders-api`. */
  readonly writer: string
  readonly causationId?: string | undefined
  /** When it was decided, epoch ms by its producer's clock; undefined while it waits in the outbox. */
  readonly time: number | undefined
  /** `payments/3@9`; undefined while it waits, and if its record is gone. */
  readonly place?: string | undefined
  /** When the broker stored it, epoch ms. */
  readonly publishedAt?: number | undefined
  /** Calls and timers that led to it from its cause. */
  readonly way: Way
  /** W3C trace context of its headers. */
  readonly traceparent?: string | undefined
}

/** What a consumer did with an event. */
export interface Delivery {
  readonly eventId: string
  readonly group: string
  /** When its transaction began, epoch ms by the database's clock. */
  readonly takenAt: number
}

/** Work that has not ended: a call without an answer, a timer, a parked event. */
export interface Pending {
  readonly group: string
  readonly what: 'call' | 'timer' | 'parked'
  /** Event that led to it; undefined if that is unknown. */
  readonly eventId?: string | undefined
  /** Kind of the call or timer; reason of a parked event. */
  readonly kind: string
  /** How often it was tried. */
  readonly attempts: number
  readonly error?: string | undefined
}

/** An action on a parked event that has ended. */
export interface PastRetry {
  readonly group: string
  readonly eventId: string
  readonly action: string
  readonly actor: string
  readonly at: number
}

/** A replay that has passed over an event. */
export interface Replayed {
  readonly group: string
  readonly eventId: string
  readonly replay: number
  readonly mode: 'redeliver' | 'rebuild' | 'reprocess'
  readonly actor: string
  /** When it began. */
  readonly at: number
  readonly undone: boolean
}

export interface OrderFacts {
  readonly orderId: string
  readonly status: string | undefined
  readonly events: readonly TracedEvent[]
  readonly deliveries: readonly Delivery[]
  readonly pending: readonly Pending[]
  readonly retries: readonly PastRetry[]
  readonly replays: readonly Replayed[]
  /** Why something may be missing, a sentence each. */
  readonly gaps: readonly string[]
}

/** What a consumer did with one event, and what came of it. */
export interface Reaction {
  readonly group: string
  readonly takenAt: number | undefined
  readonly pending: readonly Pending[]
  readonly retries: readonly PastRetry[]
  readonly replays: readonly Replayed[]
  readonly events: readonly EventNode[]
}

export interface EventNode extends TracedEvent {
  readonly reactions: readonly Reaction[]
}

export interface OrderTrace {
  readonly orderId: string
  readonly status: string | undefined
  /** W3C trace id, as logs and exported spans have it. */
  readonly traceId: string
  readonly beganAt: number | undefined
  /** Events without a known cause: the order, a cancellation. */
  readonly roots: readonly EventNode[]
  /** Pending work whose event is not known. */
  readonly pending: readonly Pending[]
  readonly gaps: readonly string[]
}

/** Builds the tree of causes. Pure; events whose cause is missing are roots. */
export function buildTrace(facts: OrderFacts): OrderTrace {
  const { orderId, status, events, deliveries, pending, retries, replays, gaps } = facts
  const ids = new Set(events.map(({ id }) => id))
  const sorted = events.toSorted(
    (a, b) => (a.time ?? Infinity) - (b.time ?? Infinity) || (a.publishedAt ?? 0) - (b.publishedAt ?? 0),
  )
  const isRoot = ({ causationId, id }: TracedEvent) =>
    causationId === undefined || causationId === id || !ids.has(causationId)
  const nodeOf = (event: TracedEvent): EventNode => ({ ...event, reactions: reactionsTo(event.id) })
  const reactionsTo = (eventId: string): Reaction[] => {
    const caused = sorted.filter((event) => event.causationId === eventId && !isRoot(event))
    const groups = new Map<string, number | undefined>()
    for (const { group, takenAt, eventId: of } of deliveries) if (of === eventId) groups.set(group, takenAt)
    const others = [
      ...caused.map(({ writer }) => writer),
      ...[...pending, ...retries, ...replays].filter((one) => one.eventId === eventId).map(({ group }) => group),
    ]
    for (const group of others) if (!groups.has(group)) groups.set(group, undefined)
    return [...groups]
      .map(([group, takenAt]) => ({
        ...{ group, takenAt },
        pending: pending.filter((one) => one.group === group && one.eventId === eventId),
        retries: retries.filter((one) => one.group === group && one.eventId === eventId),
        replays: replays.filter((one) => one.group === group && one.eventId === eventId),
        events: caused.filter(({ writer }) => writer === group).map(nodeOf),
      }))
      .sort((a, b) => (a.takenAt ?? Infinity) - (b.takenAt ?? Infinity) || a.group.localeCompare(b.group))
  }
  return {
    ...{ orderId, status, gaps, beganAt: sorted[0]?.time },
    traceId: traceIdOf(sorted.find(({ traceparent }) => traceparent)?.traceparent, orderId),
    roots: sorted.filter(isRoot).map(nodeOf),
    pending: pending.filter(({ eventId }) => eventId === undefined || !ids.has(eventId)),
  }
}
