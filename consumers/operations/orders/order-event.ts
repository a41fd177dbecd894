import { describeError } from '../../../infra/errors.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { fromHeaders } from '../../../schemas/envelope.ts'
import { inboxId } from '../../runtime/tables/inbox/inbox.ts'
import type { TimelineRow } from './find-orders.ts'
import type { OrderRecord } from './order-records.ts'

/** Where a record lies; topic without namespace, offset as text. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

/** An event of an order, with all its records. Times are UTC, ISO 8601. */
export interface OrderEvent {
  readonly eventId: string
  /** The id under which groups remember it; its place if it has no id. */
  readonly inboxId: string
  readonly type: string
  /** Who wrote it, such as `payment` or `orders-api`. */
  readonly writer: string | null
  readonly causationId: string | null
  /** Null if only order-status knows of it: its record is gone or was not read. */
  readonly place: Place | null
  /** Further records with the same id, which every group drops. */
  readonly repeats: readonly Place[]
  readonly happenedAt: string | null
  readonly publishedAt: string | null
  readonly schemaId: number | null
  readonly bytes: number | null
  /** The data, as far as this version can read it. */
  readonly data: object | null
  /** Why there is no data. */
  readonly unreadable: string | null
  /** First bytes of the value, in base64, if there is no data. */
  readonly raw: string | null
  /** A line without personal data, from order-status. */
  readonly summary: string | null
  readonly headers: Readonly<Record<string, string>>
}

const rawBytes = 4_096

/** Decodes a record. Never throws: `unreadable` says why it has no data. */
export async function describeRecord(
  { topic, partition, message }: OrderRecord,
  codec: Codec | undefined,
): Promise<OrderEvent> {
  const envelope = fromHeaders(message.headers)
  const place = { topic, partition, offset: message.offset }
  const read = await readData(message.value, codec)
  const at = `${topic}/${partition} offset ${message.offset}`
  return {
    eventId: envelope.id ?? at,
    inboxId: inboxId(
      envelope.id,
      () => envelope.source,
      () => at,
    ),
    type: read.type ?? envelope.type ?? envelope.typeName ?? 'unknown type',
    writer: envelope.source?.replace(/^\/tally\//, '') ?? null,
    causationId: envelope.causationId ?? null,
    place,
    repeats: [],
    happenedAt: envelope.time === undefined ? null : new Date(envelope.time).toISOString(),
    publishedAt: new Date(Number(message.timestamp)).toISOString(),
    schemaId: codec?.schemaIdOf(message.value) ?? null,
    bytes: message.value?.length ?? 0,
    data: read.data,
    unreadable: read.why,
    raw: read.data ? null : (message.value?.subarray(0, rawBytes).toString('base64') ?? null),
    summary: null,
    headers: Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)])),
  }
}

async function readData(
  value: Buffer | null,
  codec: Codec | undefined,
): Promise<{ type?: string; data: object | null; why: string | null }> {
  if (!codec) return { data: null, why: 'the schema registry does not answer' }
  try {
    const schemaId = codec.schemaIdOf(value)
    if (schemaId !== undefined) await codec.learn([schemaId])
    return { ...codec.decode(value), why: null }
  } catch (error) {
    return { data: null, why: describeError(error) }
  }
}

/** One entry per event id: the first record counts, the others repeat it. Adds what only order-status still knows. */
export function mergeEvents(records: readonly OrderEvent[], timeline: readonly TimelineRow[]): OrderEvent[] {
  const byId = Map.groupBy(records, ({ inboxId: id }) => id)
  const events = [...byId.values()].map((same) => {
    const [first, ...rest] = same.toSorted(byPublication)
    const event = first as OrderEvent
    const row = timeline.find((each) => isOf(each, event))
    const known = row && event.eventId !== row.eventId ? { inboxId: row.eventId, type: row.type } : {}
    return { ...event, ...known, repeats: rest.flatMap(({ place }) => place ?? []), summary: row?.summary ?? null }
  })
  const gone = timeline.filter((row) => !events.some((event) => isOf(row, event)))
  return [...events, ...gone.map(withoutRecord)]
}

/** A record without an id, or one that an operator has edited, is known by its place. */
const isOf = ({ eventId, topic, partition, offset }: TimelineRow, event: OrderEvent): boolean =>
  eventId === event.eventId ||
  (topic !== null &&
    event.place?.topic === topic &&
    event.place.partition === partition &&
    event.place.offset === offset)

const byPublication = (a: OrderEvent, b: OrderEvent): number =>
  (a.publishedAt ?? '').localeCompare(b.publishedAt ?? '') || Number(a.place?.offset) - Number(b.place?.offset)

const withoutRecord = ({ eventId, type, time, topic, partition, offset, summary }: TimelineRow): OrderEvent => ({
  eventId,
  inboxId: eventId,
  type,
  writer: null,
  causationId: null,
  place: topic !== null && partition !== null && offset !== null ? { topic, partition, offset } : null,
  repeats: [],
  happenedAt: time,
  publishedAt: null,
  schemaId: null,
  bytes: null,
  data: null,
  unreadable: 'its record was not read',
  raw: null,
  summary,
  headers: {},
})
