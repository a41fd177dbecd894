import { TallyError } from '../infra/errors.ts'
import { eventFullNames } from './generated/events.ts'
import type { EventData, EventType } from './generated/events.ts'

export interface Topic {
  /** Name without the namespace prefix; `topicName` adds it. */
  readonly name: string
  /** Event types it carries; every type travels on exactly one topic. */
  readonly events: readonly EventType[]
  /** Readable name of the writer: `orders API`, a consumer's group, or scripts. */
  readonly writtenBy: string
  /** Retention, milliseconds. The inbox remembers longer than this. */
  readonly retentionMs: number
}

const week = 7 * 24 * 3_600_000

/** All topics have the same partition count, so that a key has the same lane in every group. */
export const topics = [
  {
    name: 'orders',
    events: ['OrderPlaced', 'CancellationRequested'],
    writtenBy: 'orders API, scripts',
    retentionMs: week,
  },
  {
    name: 'payments',
    events: ['PaymentAuthorized', 'PaymentDeclined', 'PaymentVoided', 'PaymentCaptured'],
    writtenBy: 'payment',
    retentionMs: week,
  },
  {
    name: 'inventory',
    events: ['StockReserved', 'StockRejected', 'StockReleased'],
    writtenBy: 'inventory',
    retentionMs: week,
  },
  {
    name: 'shipping',
    events: ['ShipmentScheduled', 'FulfilmentCancelled', 'CancellationRefused'],
    writtenBy: 'shipping',
    retentionMs: week,
  },
  { name: 'stock', events: ['StockReplenished'], writtenBy: 'scripts', retentionMs: week },
] as const satisfies readonly Topic[]

const byEvent = new Map<EventType, Topic>(topics.flatMap((topic) => topic.events.map((type) => [type, topic] as const)))

/** The topic of an event type. */
export function topicOf(type: EventType): Topic {
  const topic = byEvent.get(type)
  if (!topic) throw new TallyError('INVARIANT', `${type} belongs to no topic: add it to schemas/topics.ts`)
  return topic
}

/** Whether events of a type travel on a topic: its name without namespace, of any generation. */
export function carries(topic: string, type: EventType): boolean {
  const { name } = topicOf(type)
  return topic === name || withoutGeneration(topic) === name
}

export const eventTypes: readonly EventType[] = [...byEvent.keys()]

/** The key of an event's record: the order, or the article for stock deliveries. */
export const keyOf = (data: EventData[EventType]): string => ('orderId' in data ? data.orderId : data.sku)

/**
 * The name of a topic in a generation, without namespace: `orders`, then `orders.g2`. Every change of the partition count
 * begins a new generation, because a topic that grows in place moves its keys to other partitions.
 */
export const inGeneration = (topic: string, generation: number): string =>
  generation === 1 ? topic : `${topic}.g${generation}`

/** The name in `schemas/topics.ts` of a topic of any generation. */
export const withoutGeneration = (topic: string): string => topic.replace(/\.g\d+$/, '')

/** The generation of a topic's name, as `inGeneration` makes them. */
export const generationOf = (topic: string): number => Number(/\.g(\d+)$/.exec(topic)?.[1] ?? 1)

/** A topic's name on the broker. */
export const topicName = (namespace: string, topic: Topic, generation = 1): string =>
  `${namespace}${inGeneration(topic.name, generation)}`

/** The registry subject of an event type's schema: the same in every generation. */
export const subjectOf = (namespace: string, type: EventType): string =>
  `${topicName(namespace, topicOf(type))}-${eventFullNames[type]}`
