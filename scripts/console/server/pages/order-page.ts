import type { GroupPart } from '../../../../consumers/operations/orders/group-part.ts'
import type { OrderEvent, Place } from '../../../../consumers/operations/orders/order-event.ts'
import type { OrderAccount } from '../../../../consumers/operations/orders/read-order.ts'
import { whyWaiting } from '../../../../consumers/operations/orders/why-waiting.ts'
import { changedFields } from '../../../../consumers/operations/parked/read-edit.ts'
import type { ConsumerPart, EventRead, OrderEvent as EventJson, OrderPage } from '../../contract/orders.ts'
import { hexDump } from '../../../parked/printable.ts'
import { payloadText } from './payload.ts'

/** An account of an order as the page gets it. @param now UTC epoch ms */
export function orderPage(account: OrderAccount, schemaOf: (id: number) => string, now: number): OrderPage {
  const { orderId, lane, order, events, groups, gaps } = account
  const byId = new Map(events.map((event) => [event.eventId, event]))
  return {
    orderId,
    lane,
    order: order ?? null,
    waiting: whyWaiting(account, now),
    events: events.map((event, index) => {
      const cause = event.causationId === null ? undefined : byId.get(event.causationId)
      return eventJson(event, { before: cause ?? events[index - 1], depth: depthOf(event, byId), schemaOf, groups })
    }),
    consumers: groups.map(consumerJson),
    gaps,
    readAt: new Date(now).toISOString(),
  }
}

interface EventContext {
  readonly before: OrderEvent | undefined
  readonly depth: number
  readonly groups: readonly GroupPart[]
  schemaOf(id: number): string
}

function eventJson(event: OrderEvent, { before, depth, schemaOf, groups }: EventContext): EventJson {
  const { eventId, type, writer, causationId, happenedAt, publishedAt, bytes, unreadable, summary } = event
  return {
    ...{ eventId, type, writer, causationId, depth, happenedAt, publishedAt, bytes, unreadable, summary },
    place: event.place && placeText(event.place),
    repeats: event.repeats.map(placeText),
    schema: event.schemaId === null ? null : schemaOf(event.schemaId),
    payload: payloadText(event.data),
    changes: event.data && before?.data ? changedFields(before.data, event.data) : [],
    changedFrom: event.data && before?.data ? before.type : null,
    raw: event.raw === null ? null : hexDump(Buffer.from(event.raw, 'base64'), event.bytes ?? undefined),
    headers: Object.entries(event.headers),
    reads: groups.filter(({ handles }) => handles.has(type)).map((group) => readOf(event, group)),
  }
}

export const placeText = ({ topic, partition, offset }: Place): string => `${topic}/${partition}@${offset}`

/** What a consumer has made of an event. */
export function readOf({ place, inboxId }: OrderEvent, { group, reading, parked, audit, taken }: GroupPart): EventRead {
  const at = taken.get(inboxId)
  const name = place && `${place.topic}/${place.partition}:${place.offset}`
  const topic = reading.find((each) => each.topic === place?.topic)
  const replays = place
    ? (topic?.replays ?? []).flatMap(({ replay, first, next }) =>
        Number(place.offset) >= first && Number(place.offset) < next ? [replay] : [],
      )
    : []
  const known = { consumer: group, at: at?.toISOString() ?? null, replays: [...new Set(replays)] }
  const entry = parked.find(({ record }) => name !== null && record === name)
  if (entry) return { ...known, state: 'parked', detail: `${entry.reason}${entry.error ? `: ${entry.error}` : ''}` }
  const drop = audit.find(({ action, eventId }) => action === 'DROPPED' && eventId === inboxId)
  if (drop) return { ...known, state: 'dropped', detail: `by ${drop.actor}${drop.why ? `: ${drop.why}` : ''}` }
  if (at) return { ...known, state: 'handled', detail: null }
  if (place && Number(place.offset) >= (topic?.next ?? 0)) return { ...known, state: 'unread', detail: null }
  return { ...known, state: 'unknown', detail: 'read, but no longer in the inbox' }
}

function depthOf(event: OrderEvent, byId: ReadonlyMap<string, OrderEvent>): number {
  let depth = 0
  for (let cause = event.causationId; cause !== null && depth < byId.size; depth++) {
    const found = byId.get(cause)
    if (!found) break
    cause = found.causationId
  }
  return depth
}

const consumerJson = ({ group, lane, parked, calls, timers, audit }: GroupPart): ConsumerPart => ({
  consumer: group,
  condition: lane?.condition ?? 'unowned',
  owner: lane?.owner ?? null,
  parked: parked.map(({ id, type, reason, error, parkedAt }) => ({
    ...{ id, type, reason, error },
    parkedAt: parkedAt.toISOString(),
  })),
  calls: calls.map(({ kind, attempts, lastError, nextAttemptAt, request }) => ({
    ...{ kind, attempts, lastError },
    nextAttemptAt: nextAttemptAt.toISOString(),
    request: JSON.stringify(request, null, 2),
  })),
  timers: timers.map(({ kind, dueAt }) => ({ kind, dueAt: dueAt.toISOString() })),
  audit: audit.map(({ at, action, actor, why, place, source }) => ({
    ...{ action, actor, why },
    at: at.toISOString(),
    event: place ?? source,
  })),
})
