import type { Config } from '../../../infra/config.ts'
import { describeError, TallyError } from '../../../infra/errors.ts'
import { loadConsumer } from '../../runtime/load-consumer.ts'
import type { GroupPart } from '../orders/group-part.ts'
import type { OrderEvent } from '../orders/order-event.ts'
import { readOrder } from '../orders/read-order.ts'
import type { OrderAccount, ReadOrderOptions } from '../orders/read-order.ts'
import { findWay } from './find-way.ts'
import { buildTrace } from './order-trace.ts'
import { readReplays } from './read-replays.ts'
import type { Delivery, OrderTrace, PastRetry, Pending, Replayed, TracedEvent } from './order-trace.ts'

/**
 * What became of an order, as a tree of causes, from the database and the topics alone.
 * @throws TallyError USAGE if nothing is known of it; errors of pg
 */
export async function traceOrder(orderId: string, options: ReadOrderOptions): Promise<OrderTrace> {
  const account = await readOrder(orderId, options)
  if (!account.order && account.events.length === 0 && account.unpublished.length === 0)
    throw new TallyError(
      'USAGE',
      `Nothing is known of an order ${orderId}: neither the database nor the topics have it`,
    )
  const { pool, config } = options
  const gaps = [...account.gaps]
  const replays = await readReplays(pool, config.namespace, account).catch((error: unknown) => {
    gaps.push(`The replays could not be read: ${describeError(error)}.`)
    return []
  })
  return traceOf({ ...account, gaps }, await readIntents(config, account.groups), replays)
}

/** Calls and timers by group, as their ids derive from them: `call:authorize`. */
export type Intents = ReadonlyMap<string, readonly string[]>

async function readIntents(config: Config, groups: readonly GroupPart[]): Promise<Intents> {
  const intents = new Map<string, string[]>()
  for (const { group } of groups) {
    const { calls = {}, timers = {} } = await loadConsumer(group, config)
    const kinds = (family: string, of: object) => Object.keys(of).map((kind) => `${family}:${kind}`)
    intents.set(group, [...kinds('call', calls), ...kinds('timer', timers)])
  }
  return intents
}

/** Pure. */
export function traceOf(account: OrderAccount, intents: Intents, replays: readonly Replayed[] = []): OrderTrace {
  const { orderId, order, events, groups, unpublished, gaps } = account
  const byId = new Map(events.map((event) => [event.eventId, event]))
  const byInboxId = new Map(events.map(({ inboxId, eventId }) => [inboxId, eventId]))
  const byPlace = new Map(events.flatMap((event) => (event.place ? [[recordOf(event.place), event.eventId]] : [])))
  const deliveries: Delivery[] = groups.flatMap(({ group, taken }) =>
    [...taken].map(([id, at]) => ({ group, eventId: byInboxId.get(id) ?? id, takenAt: at.getTime() })),
  )
  const pending: Pending[] = groups.flatMap(({ group, calls, timers, parked }) => [
    ...calls.map(({ kind, attempts, lastError }) => ({
      ...{ group, what: 'call' as const, kind, attempts },
      error: lastError ?? undefined,
    })),
    ...timers.map(({ kind }) => ({ group, what: 'timer' as const, kind, attempts: 0 })),
    ...parked.map(({ reason, attempts, error, record }) => ({
      ...{ group, what: 'parked' as const, kind: reason, attempts },
      ...{ error: error ?? undefined, eventId: byPlace.get(record ?? '') },
    })),
  ])
  const retries: PastRetry[] = groups.flatMap(({ group, audit }) =>
    audit.flatMap(({ eventId, action, actor, at }) =>
      eventId === null ? [] : [{ group, action, actor, eventId: byInboxId.get(eventId) ?? eventId, at: at.getTime() }],
    ),
  )
  const waiting: TracedEvent[] = unpublished.map(({ eventId: id, type, writer }) => ({
    ...{ id, type: type.split('.').at(-1) ?? type, writer, way: [], time: undefined },
  }))
  return buildTrace({
    ...{ orderId, status: order?.status, deliveries, pending, retries, replays, gaps },
    events: [...events.map((event) => traced(event, byId, intents)), ...waiting.filter(({ id }) => !byId.has(id))],
  })
}

function traced(event: OrderEvent, byId: ReadonlyMap<string, OrderEvent>, intents: Intents): TracedEvent {
  const { eventId: id, type, place, publishedAt, happenedAt, headers } = event
  const writer = event.writer ?? 'unknown'
  const cause = event.causationId === null ? undefined : byId.get(event.causationId)
  const causing = cause && { id: cause.inboxId, time: timeOf(cause.happenedAt) ?? 0 }
  return {
    ...{ id, type, writer, time: timeOf(happenedAt), publishedAt: timeOf(publishedAt) },
    ...{ causationId: event.causationId ?? undefined, traceparent: headers['traceparent'] },
    place: place ? `${place.topic}/${place.partition}@${place.offset}` : undefined,
    way: (causing && findWay(causing, { id, type, group: writer }, intents.get(writer) ?? [])) ?? [],
  }
}

/** As `ParkedEntry.record` has it. */
const recordOf = ({ topic, partition, offset }: NonNullable<OrderEvent['place']>): string =>
  `${topic}/${partition}:${offset}`

const timeOf = (text: string | null): number | undefined => (text === null ? undefined : Date.parse(text))
