import type { KafkaMessage } from 'kafkajs'
import { describeError, isTallyError } from '../../../infra/errors.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { envelopePart, timeOfRecord, typeOfFullName } from '../../../schemas/envelope.ts'
import { timeOfEventId } from '../../../schemas/event-id.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { whyOtherPartition } from '../../../schemas/foreign-partitioners.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { carries, keyOf, topicOf } from '../../../schemas/topics.ts'
import { hashedId, inboxId } from '../tables/inbox/inbox.ts'
import type { Batch, RecordInput } from '../model.ts'

export interface ReadOptions {
  codec: Codec
  /** Types the group handles; all others are ignored without decoding. */
  handled: ReadonlySet<EventType>
  partitions: number
  /** Without namespace. */
  topic: string
  /** The broker's id of the topic, if known. */
  topicId?: string
  partition: number
  /** Lane the key must belong to; differs for a parked record of an earlier topic generation. @default partition */
  lane?: number
  /** A redelivery: the lane has processed these offsets before. */
  again?: boolean
  /** Set when the process died repeatedly while handling this record: it is not even decoded. */
  killer?: string
}

/** Bytes; longer keys do not fit into an index. */
const longestKey = 512

/**
 * Turns records into the inputs of a batch that covers the offsets `[from, to)`. A record that cannot be read becomes
 * an input with the reason. Only types the group does not handle are left out, and they are counted as ignored.
 * @throws TallyError UNREACHABLE while the registry does not answer
 */
export async function readRecords(
  messages: readonly KafkaMessage[],
  from: number,
  to: number,
  options: ReadOptions,
): Promise<Extract<Batch, { source: 'record' }>> {
  const { codec, handled, topic, topicId = topic, partition, again } = options
  const ids = messages.map(({ value }) => codec.schemaIdOf(value))
  await codec.learn(ids.filter((id) => id !== undefined))
  const inputs: RecordInput[] = []
  for (const [index, message] of messages.entries()) {
    const type = typeOfRecord(message, ids[index], { codec, topic })
    if (type === 'newer' || (type !== undefined && !handled.has(type))) continue
    const placeId = () => hashedId(`${topicId}/${partition}/${message.offset}`)
    inputs.push(readRecordInput(message, placeId, options))
  }
  const ignored = messages.length - inputs.length
  return { source: 'record', inputs, move: { topic, from, to, ignored, holes: to - from - messages.length, again } }
}

/**
 * The type by which a record is taken or ignored: its schema's, or what the header of an unreadable one claims. A group ignores
 * types that it does not handle, but only where another group may miss nothing: undefined, parked by every group that reads
 * the topic, is a record without a type, of a type that the topic does not carry, and one that claims a type nobody knows.
 * `newer` is a sound event of a later version: header and schema name the same unknown type.
 * @param schemaId of its value, known to the codec
 * @param topic without namespace
 */
export function typeOfRecord(
  { headers }: Pick<KafkaMessage, 'headers'>,
  schemaId: number | undefined,
  { codec, topic }: { codec: Pick<Codec, 'typeOf' | 'nameOf'>; topic: string },
): EventType | 'newer' | undefined {
  let type = schemaId === undefined ? undefined : codec.typeOf(schemaId)
  if (type === undefined) {
    const claimed = envelopePart.typeName(headers)
    if (claimed === undefined) return undefined
    type = typeOfFullName(claimed)
    if (type === undefined && schemaId !== undefined && codec.nameOf(schemaId) === claimed) return 'newer'
  }
  return type !== undefined && carries(topic, type) ? type : undefined
}

/**
 * Reads one record whose schema is known to the codec.
 * @param placeId computes its inbox id in case it has no id of its own or cannot be read; rarely needed
 */
export function readRecordInput(
  message: KafkaMessage,
  placeId: () => string,
  { codec, partitions, topic, partition, lane = partition, killer }: Omit<ReadOptions, 'handled' | 'topicId' | 'again'>,
): RecordInput {
  const offset = Number(message.offset)
  const { headers } = message
  const { time = Number(message.timestamp), fault: timeFault } = timeOfRecord(message)
  let event: RecordInput['event']
  let unreadable: RecordInput['unreadable']
  try {
    if (killer === undefined) event = codec.decode(message.value)
    else unreadable = { reason: 'KILLED_PROCESS', error: killer }
  } catch (error) {
    if (!isTallyError(error, 'UNREADABLE')) throw error
    unreadable = { reason: 'UNREADABLE', error: describeError(error) }
  }
  if (event && timeFault !== undefined) {
    // All derived ids, timers and event times would contain that time
    unreadable = { reason: 'UNREADABLE', error: timeFault }
    event = undefined
  }
  const place = `${topic}/${partition}/${offset}`
  let key = event ? keyOf(event.data) : storableKey(message.key, place)
  if (event && !carries(topic, event.type)) {
    // Only the topic's writer may publish this type. Parked under its own key, it would delay the key's genuine events
    const where = `belongs to topic ${topicOf(event.type).name}`
    unreadable = { reason: 'MISROUTED', error: `${event.type} of ${key} ${where}` }
    event = undefined
    key = place
  }
  if (event && laneOf(key, partitions) !== lane) {
    // Its state belongs to another lane: handling it here would give the row two writers
    const cause = whyOtherPartition(message.key, key, { partition, partitions })
    unreadable = { reason: 'MISROUTED', error: `key ${key} belongs to partition ${laneOf(key, partitions)}: ${cause}` }
    event = undefined
  }
  // The inbox knows an unreadable record by its place, so that the corrected event can still arrive under its own id. A
  // record that was not attempted keeps its id, so that a duplicate cannot overtake it
  const named = !unreadable || unreadable.reason === 'KILLED_PROCESS'
  const id = envelopePart.id(headers)
  const taken = named ? inboxId(id, () => envelopePart.source(headers), placeId) : placeId()
  return {
    source: 'record',
    key,
    topic,
    partition,
    offset,
    message,
    inboxId: taken,
    placeId,
    event,
    unreadable,
    cause: {
      id: taken,
      eventId: id ?? taken,
      time,
      chainTime: timeOfEventId(taken) ?? time,
      correlationId: envelopePart.correlationId(headers) ?? key,
      traceparent: envelopePart.traceparent(headers),
    },
  }
}

/** The key of an unreadable record may be any bytes. PostgreSQL cannot store NUL, and an index limits the length. */
function storableKey(key: Buffer | null, place: string): string {
  if (key === null) return place
  const text = key.toString('utf8')
  return key.length <= longestKey && !text.includes('\0') ? text : hashedId(text)
}
