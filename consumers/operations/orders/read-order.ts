import type { Config } from '../../../infra/config.ts'
import { describeError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { currentConfig } from '../../../infra/topic-generations/current-config.ts'
import { readUnpublished } from '../../../producers/outbox/outbox-backlog.ts'
import type { UnpublishedEvent } from '../../../producers/outbox/outbox-backlog.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { timeOfEventId } from '../../../schemas/event-id.ts'
import { laneOf } from '../../../schemas/partition.ts'
import { ordersWriter, readGroups } from '../groups.ts'
import type { OpenGroup } from '../parked/parked-groups.ts'
import { withoutCodec } from '../connect-codec.ts'
import { inCausalOrder } from './causal-order.ts'
import { findOrder, readTimeline } from './find-orders.ts'
import type { OrderRow, TimelineRow } from './find-orders.ts'
import { describeRecord, mergeEvents } from './order-event.ts'
import type { OrderEvent } from './order-event.ts'
import { readOrderRecords } from './order-records.ts'
import type { OrderRecords } from './order-records.ts'
import { readPart } from './group-part.ts'
import type { GroupPart } from './group-part.ts'

/** Everything that is known of one order. */
export interface OrderAccount {
  readonly orderId: string
  readonly lane: number
  /** Undefined if no service knows it; its events may be on the topics all the same. */
  readonly order: OrderRow | undefined
  /** In causal order. */
  readonly events: readonly OrderEvent[]
  readonly groups: readonly GroupPart[]
  /** Events that no topic has yet, by writer. */
  readonly unpublished: readonly (UnpublishedEvent & { readonly writer: string })[]
  /** What could not be read, and records that may be missing: a sentence each. */
  readonly gaps: readonly string[]
}

export interface ReadOrderOptions {
  readonly config: Config
  /** Sees all schemas. */
  readonly pool: Pool
  readonly groups: readonly OpenGroup[]
  /** Undefined if the registry does not answer: payloads are then bytes. */
  readonly codec: Codec | undefined
  readonly signal: AbortSignal
}

/**
 * Reads the order from the tables of all services and from the topics. If the broker or the registry is away, the rest is
 * read all the same.
 * @throws errors of pg
 */
export async function readOrder(orderId: string, options: ReadOrderOptions): Promise<OrderAccount> {
  const { pool, codec, signal } = options
  const config = await currentConfig(options.config, pool)
  const lane = laneOf(orderId, config.partitions)
  const gaps: string[] = codec ? [] : [`${withoutCodec}.`]
  const orNone = <T>(what: string, work: Promise<T[]>): Promise<T[]> =>
    work.catch((error: unknown) => {
      gaps.push(`${what} could not be read: ${describeError(error)}.`)
      return []
    })
  const [order, timeline, groups] = await Promise.all([
    findOrder(config, pool, orderId),
    orNone<TimelineRow>('The timeline', readTimeline(config, pool, orderId)),
    readGroups(config),
  ])
  const parts = await Promise.all(
    options.groups.map((group) =>
      orNone(
        group.name,
        readPart(group, { pool, lane, orderId, definition: groups.find(({ name }) => name === group.name) }),
      ),
    ),
  )
  const beganAt = order?.placedAt ? Date.parse(order.placedAt) : timeOfEventId(orderId)
  // An order whose first event is parked is on no timeline
  const known = [...timeline, ...parts.flat().flatMap(({ parkedAt }) => parkedAt)].filter(
    ({ partition }) => partition === lane,
  )
  const [found, unpublished] = await Promise.all([
    readOrderRecords(config, { orderId, lane, known, beganAt, signal }),
    orNone(
      'Outboxes',
      Promise.all(
        [ordersWriter(config), ...groups].map(async ({ name: writer, schema }) =>
          (await readUnpublished(pool, schema, { lane, key: orderId })).map((event) => ({ writer, ...event })),
        ),
      ).then((each) => each.flat()),
    ),
  ])
  gaps.push(...found.gaps)
  const records = await described(found, codec)
  const events = mergeEvents(records, timeline)
  const ofGroups = await Promise.all(parts.flat().map((part) => part.withTaken(events)))
  return { orderId, lane, order, events: inCausalOrder(events), groups: ofGroups, unpublished, gaps }
}

/** Whether neither the services nor the topics have anything of the order. */
export const isUnknown = ({ order, events, unpublished, groups }: OrderAccount): boolean =>
  order === undefined &&
  events.length + unpublished.length === 0 &&
  groups.every(({ parked, audit }) => parked.length + audit.length === 0)

/** How far back an order is looked for whose id does not say when it began. */
const lookedForMs = 24 * 3_600_000

/**
 * Reads the order from the topics alone, because the database is away: what the services made of the events is unknown.
 * @param config of the present generation, or of the last known one
 */
export async function readOrderEvents(
  orderId: string,
  { config, codec, signal }: Pick<ReadOrderOptions, 'config' | 'codec' | 'signal'>,
): Promise<OrderAccount> {
  const lane = laneOf(orderId, config.partitions)
  const beganAt = timeOfEventId(orderId) ?? Date.now() - lookedForMs
  const found = await readOrderRecords(config, { orderId, lane, known: [], beganAt, signal })
  const events = inCausalOrder(mergeEvents(await described(found, codec), []))
  const gaps = [...(codec ? [] : [`${withoutCodec}.`]), ...found.gaps]
  return { orderId, lane, order: undefined, events, groups: [], unpublished: [], gaps }
}

const described = ({ records }: OrderRecords, codec: Codec | undefined) =>
  Promise.all(records.map((record) => describeRecord(record, codec)))
