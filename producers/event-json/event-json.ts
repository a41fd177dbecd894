import type { EventType } from '../../schemas/generated/events.ts'
import { loadSchemas } from '../../schemas/load-schemas.ts'
import { readTime } from '../../schemas/time.ts'
import { findFault } from '../../schemas/validate.ts'
import { isObject, readAvroJson } from './avro-json.ts'
import { unknownType } from './event-type-names.ts'
import type { OutgoingEvent } from '../direct/publisher.ts'
import { seededId } from '../sample-data/seeded.ts'

/** An event, or the faults of the text, each beginning with the path of the field. */
export type ReadEvent = { event: OutgoingEvent; faults?: undefined } | { event?: undefined; faults: readonly string[] }

export interface EventReaderOptions {
  /** Event type of texts that are bare data. */
  type?: EventType
  /** The id of an event without one is a function of this, its type and its data. @default 0 */
  seed?: number
}

/**
 * Creates a reader of events in JSON: `{"type": …, "id"?: …, "time"?: …, "data": {…}}`, or the data alone if the type is
 * given. 64-bit integers may be strings, because a JSON number is a double to many writers. The same content without an id is
 * the same event, however often it is read.
 */
export function createEventReader({ type: givenType, seed = 0 }: EventReaderOptions): (text: string) => ReadEvent {
  const records = new Map(loadSchemas().map(({ type, record }) => [type as EventType, record]))
  return (text) => {
    const json = parse(text)
    if (!isObject(json)) return { faults: ['not a JSON object'] }
    const { type, id, time, data } = isEnvelope(json)
      ? json
      : { type: givenType, data: json, id: undefined, time: undefined }
    if (type === undefined)
      return { faults: ['type is missing: give it in the line, or as an argument for lines of bare data'] }
    const record = records.get(type as EventType)
    if (!record) return { faults: [unknownType(type)] }
    const faults = isEnvelope(json) ? envelopeFaults(json) : []
    const value = readAvroJson(record, data, 'data', faults)
    const fault = faults.length === 0 ? findFault(type as EventType, value as never) : undefined
    if (fault !== undefined) faults.push(`data.${fault}`)
    if (faults.length > 0) return { faults }
    const eventId = id ?? seededId('content', seed, type as EventType, JSON.stringify(value))
    return { event: { type, id: eventId, data: value, time: timeOf(time) } as OutgoingEvent }
  }
}

interface EnvelopeJson {
  type?: unknown
  id?: unknown
  time?: unknown
  data: unknown
}

/** No event has a field `data`. */
const isEnvelope = (json: object): json is EnvelopeJson => 'data' in json

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function envelopeFaults({ id, time, ...rest }: EnvelopeJson): string[] {
  const unknown = Object.keys(rest).filter((name) => name !== 'type' && name !== 'data')
  return [
    ...unknown.map((name) => `${name} is not known: an event has type, id, time and data`),
    ...(id === undefined || (typeof id === 'string' && /^[\x21-\x7e]{1,255}$/.test(id))
      ? []
      : ['id is not 1 to 255 visible ASCII characters']),
    ...timeFaults(time),
  ]
}

function timeFaults(time: unknown): string[] {
  if (time === undefined) return []
  if (typeof time !== 'string' && typeof time !== 'number') return ['time is neither a text nor a number']
  const { fault } = readTime(`${time}`)
  return fault === undefined ? [] : [`time ${JSON.stringify(time)} ${fault}`]
}

const timeOf = (time: unknown): number | undefined =>
  typeof time === 'string' || typeof time === 'number' ? readTime(`${time}`).time : undefined
