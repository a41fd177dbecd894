import type { IHeaders } from 'kafkajs'
import { eventFullNames } from './generated/events.ts'
import type { EventType } from './generated/events.ts'
import { isPlausibleTime } from './time.ts'

/** What is known of an event besides its data: CloudEvents 1.0 attributes, headers of the record (binary mode). */
export interface Envelope {
  id: string
  type: EventType
  /** Who says so: `/tally/<group>`, `/tally/orders-api`, `/tally/produce`. */
  source: string
  /** When it happened, UTC epoch ms. */
  time: number
  /** Key of the record. */
  subject: string
  /** Order id: what everything about one order has in common. */
  correlationId: string
  /** Id of the event this one follows from. */
  causationId?: string
  /** W3C trace context. */
  traceparent?: string
  /** The outbox it came from, `<group>/<partition>`, and its number there. */
  sourceLane?: string
  sequence?: number
}

export function toHeaders(envelope: Envelope): Record<string, string> {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: envelope.id,
    ce_type: eventFullNames[envelope.type],
    ce_source: envelope.source,
    ce_time: new Date(envelope.time).toISOString(),
    ce_subject: envelope.subject,
    ce_correlationid: envelope.correlationId,
    'content-type': 'application/avro',
  }
  if (envelope.causationId !== undefined) headers['ce_causationid'] = envelope.causationId
  if (envelope.traceparent !== undefined) headers['traceparent'] = envelope.traceparent
  if (envelope.sourceLane !== undefined) headers['ce_sourcelane'] = envelope.sourceLane
  if (envelope.sequence !== undefined) headers['ce_sequence'] = String(envelope.sequence)
  return headers
}

/** The envelope of any record: what is missing, malformed or absurd is absent. */
export interface ReceivedEnvelope extends Partial<Envelope> {
  /** What `ce_type` says; `type` is absent where this code knows no such event. */
  typeName?: string
}

export function fromHeaders(headers: IHeaders | undefined): ReceivedEnvelope {
  const text = (name: string) => textOf(headers?.[name])
  const typeName = text('ce_type')
  return {
    id: text('ce_id'),
    typeName,
    type: typeName === undefined ? undefined : typeOfFullName(typeName),
    source: text('ce_source'),
    time: timeOf(text('ce_time')),
    subject: text('ce_subject'),
    correlationId: text('ce_correlationid'),
    causationId: text('ce_causationid'),
    traceparent: matching(/^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/, text('traceparent')),
    sourceLane: text('ce_sourcelane'),
    sequence: sequenceOf(text('ce_sequence')),
  }
}

const byFullName = new Map<string, EventType>(
  Object.entries(eventFullNames).map(([type, name]) => [name, type as EventType]),
)

/** The event type of a record's full name; undefined for a name this code does not know. */
export const typeOfFullName = (name: string): EventType | undefined => byFullName.get(name)

/** Longer texts, and those PostgreSQL cannot store, are nobody's id: such a header counts as missing. */
const maxBytes = 512

function textOf(header: IHeaders[string]): string | undefined {
  const value = Array.isArray(header) ? header[0] : header
  if (value === undefined || value === null || value.length === 0 || value.length > maxBytes) return undefined
  const text = value.toString()
  return text.includes('\0') ? undefined : text
}

function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/, text) ?? '')
  return isPlausibleTime(time) ? time : undefined
}

function sequenceOf(text: string | undefined): number | undefined {
  const sequence = Number(matching(/^\d{1,16}$/, text) ?? Number.NaN)
  return Number.isSafeInteger(sequence) ? sequence : undefined
}

const matching = (pattern: RegExp, text: string | undefined): string | undefined =>
  text !== undefined && pattern.test(text) ? text : undefined
