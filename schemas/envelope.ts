import type { IHeaders, KafkaMessage } from 'kafkajs'
import { eventFullNames } from './generated/events.ts'
import type { EventType } from './generated/events.ts'
import { isPlausibleTime, readTime } from './time.ts'
import type { ReadTime } from './time.ts'

/** The metadata of an event: CloudEvents 1.0 attributes in the headers of the record (binary mode). */
export interface Envelope {
  id: string
  type: EventType
  /** The producer: `/tally/<group>`, `/tally/orders-api`, `/tally/produce`. */
  source: string
  /** When it happened, UTC epoch ms. */
  time: number
  /** Key of the record. */
  subject: string
  /** Order id, shared by all events of one order. */
  correlationId: string
  /** Id of the event that caused this one. */
  causationId?: string
  /** W3C trace context. */
  traceparent?: string
  /** Its outbox, `<group>/<partition>`, and its number there. */
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

/** The envelope of any record, without parts that are missing, malformed or implausible. */
export interface ReceivedEnvelope extends Partial<Envelope> {
  /** The value of `ce_type`; `type` is absent if this code knows no such event. */
  typeName?: string
}

type Headers = IHeaders | undefined

/** Reads single parts, so that unused headers are not decoded. */
export const envelopePart = {
  id: (headers: Headers) => textOf(headers?.['ce_id']),
  typeName: (headers: Headers) => textOf(headers?.['ce_type']),
  source: (headers: Headers) => textOf(headers?.['ce_source']),
  time: (headers: Headers) => timeOf(textOf(headers?.['ce_time'])),
  subject: (headers: Headers) => textOf(headers?.['ce_subject']),
  correlationId: (headers: Headers) => textOf(headers?.['ce_correlationid']),
  causationId: (headers: Headers) => textOf(headers?.['ce_causationid']),
  traceparent: (headers: Headers) =>
    matching(/^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/, textOf(headers?.['traceparent'])),
  sourceLane: (headers: Headers) => textOf(headers?.['ce_sourcelane']),
  sequence: (headers: Headers) => sequenceOf(textOf(headers?.['ce_sequence'])),
} as const

export function fromHeaders(headers: Headers): ReceivedEnvelope {
  const typeName = envelopePart.typeName(headers)
  return {
    id: envelopePart.id(headers),
    typeName,
    type: typeName === undefined ? undefined : typeOfFullName(typeName),
    source: envelopePart.source(headers),
    time: envelopePart.time(headers),
    subject: envelopePart.subject(headers),
    correlationId: envelopePart.correlationId(headers),
    causationId: envelopePart.causationId(headers),
    traceparent: envelopePart.traceparent(headers),
    sourceLane: envelopePart.sourceLane(headers),
    sequence: envelopePart.sequence(headers),
  }
}

const byFullName = new Map<string, EventType>(
  Object.entries(eventFullNames).map(([type, name]) => [name, type as EventType]),
)

/** The event type of a full name; undefined for a name that this code does not know. */
export const typeOfFullName = (name: string): EventType | undefined => byFullName.get(name)

/** Longer texts, and those that PostgreSQL cannot store, are not ids: such a header counts as missing. */
const maxBytes = 512

function textOf(header: IHeaders[string]): string | undefined {
  const value = firstOf(header)
  if (value === undefined || value === null || value.length === 0 || value.length > maxBytes) return undefined
  const text = value.toString()
  return text.includes('\0') ? undefined : text
}

/**
 * When an event happened: its `ce_time`, or the record's own time if it has none. A malformed one is no missing one: the time of
 * the record may be months later.
 */
export function timeOfRecord({ headers, timestamp }: Pick<KafkaMessage, 'headers' | 'timestamp'>): ReadTime {
  const header = firstOf(headers?.['ce_time'])
  if (header === undefined || header === null) {
    const time = Number(timestamp)
    return isPlausibleTime(time)
      ? { time }
      : { fault: `neither its headers nor its record has a plausible time: ${time}` }
  }
  const read = readTime(header.toString())
  // Without its text: whatever a producer put there by mistake stays out of logs
  return read.fault === undefined ? read : { fault: `header ce_time ${read.fault}` }
}

const firstOf = (header: IHeaders[string]) => (Array.isArray(header) ? header[0] : header)

const timeOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : readTime(text).time)

function sequenceOf(text: string | undefined): number | undefined {
  const sequence = Number(matching(/^\d{1,16}$/, text) ?? Number.NaN)
  return Number.isSafeInteger(sequence) ? sequence : undefined
}

const matching = (pattern: RegExp, text: string | undefined): string | undefined =>
  text !== undefined && pattern.test(text) ? text : undefined
