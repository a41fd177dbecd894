import { eventFullNames } from '../../schemas/generated/events.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import type { Context } from '../runtime/handler.ts'

/** An event as it is handed to a queue; JSON. */
export interface Message {
  /** CloudEvents attributes by name; the extensions `correlationid`, `causationid` and `traceparent` among them. */
  readonly attributes: Readonly<Record<string, string>> & { readonly id: string; readonly type: string }
  /** Key of the record: the order id, or the SKU for stock deliveries. Messages of one key keep their order. */
  readonly key: string
  readonly data: object
}

/** The message of an event. Pure, so that handling an event again sends the same. */
export function messageOf(type: EventType, data: object, { key, eventId, time, at, envelope }: Context): Message {
  const { source, correlationId, causationId, traceparent } = envelope?.() ?? {}
  const attributes = {
    specversion: '1.0',
    id: eventId,
    type: eventFullNames[type],
    source: source ?? `/tally/${at?.topic ?? 'unknown'}`, // Foreign producers may name none, and CloudEvents demands one
    time: new Date(time).toISOString(),
    subject: key,
    correlationid: correlationId ?? key,
    ...(causationId !== undefined && { causationid: causationId }),
    ...(traceparent !== undefined && { traceparent }),
  }
  return { attributes, key, data }
}

export const contentType = 'application/json'
