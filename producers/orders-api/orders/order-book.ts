import { describeError, isTallyError, TallyError } from '../../../infra/errors.ts'
import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import { inTransaction, prepared } from '../../../infra/postgres/transaction.ts'
import { isDataError } from '../../../infra/postgres/sqlstates.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Tx } from '../../../infra/postgres/transaction.ts'
import { together } from '../../../infra/postgres/together.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { SealingKey } from '../../../infra/security/sealed-text.ts'
import type { OrderPlaced } from '../../../schemas/generated/events.ts'
import { laneOf } from '../../../schemas/partition.ts'
import type { CustomerKeys } from '../../../infra/security/customer-keys/customer-keys.ts'
import { advanceLanes, lockLanesInOrder } from '../../outbox/lane-table.ts'
import { numberEvents } from '../../outbox/outbox-batch.ts'
import type { OutboxBatch, UnnumberedEvent } from '../../outbox/outbox-batch.ts'
import { appendOutbox } from '../../outbox/outbox-table.ts'
import { gather } from '../../../infra/linger/gather.ts'
import type { GatherOptions } from '../../../infra/linger/gather.ts'
import { addRequests } from './cancellations.ts'
import type { NewCancellation } from './cancellations.ts'
import { claimKeys, releaseKeys, repeat } from './idempotency.ts'
import type { Idempotency, KeyedReply } from './idempotency.ts'
import { reachDatabase } from '../reach-database.ts'
import { problem } from '../http/reply.ts'
import type { Reply } from '../http/reply.ts'

/** The writes of one request, all or none. It has been validated, so nothing can be refused any more. */
export interface Entry {
  event: UnnumberedEvent
  /** Absent for a cancellation. */
  order?: OrderPlaced
  /** Absent for an order. */
  cancellation?: NewCancellation
  idempotency?: Idempotency
  /** With which its personal data is sealed, if there is any. */
  key?: SealingKey
  /** Sent once the entry is committed. */
  reply: Reply
}

export interface OrderBook {
  /**
   * Commits the entry together with those of other requests.
   * @returns its reply; for a repeated Idempotency-Key the first reply, or 409
   * @throws TallyError BUSY (retryable) if its key was erased meanwhile; UNREACHABLE when the database does not answer or is too busy: the outcome is then unknown
   */
  write(entry: Entry): Promise<Reply>
  /** Resolves when no entry is in flight. */
  idle(): Promise<void>
}

export interface OrderBookOptions extends GatherOptions {
  pool: Pool
  log: Logger
  keys: Pick<CustomerKeys, 'hold'>
  /** The generation of the topics, as far as this process knows; it determines the lane of an order. */
  generation: Generation
  /** Reads the current generation. */
  readGeneration(): Promise<Generation>
  /** Receives the events of each commit, in order per lane. */
  onCommit(rows: readonly OutboxBatch[]): void
}

/** Writes orders and their events in one transaction at a time, each for all requests that arrived during the last. */
export function createOrderBook({
  pool,
  log,
  keys,
  generation,
  readGeneration,
  onCommit,
  ...limits
}: OrderBookOptions): OrderBook {
  let current = generation
  const commit = async (entries: readonly Entry[]): Promise<Reply[]> => {
    try {
      const { replies, rows } = await inTransaction(pool, (tx) => writeEntries(tx, entries, keys, current))
      onCommit(rows)
      return replies
    } catch (error) {
      if (!isTallyError(error, 'FENCED')) throw error
      const { number } = current
      current = await readGeneration()
      if (current.number === number) throw error
      log.info({ generation: current.number, partitions: current.partitions }, 'orders go to new lanes')
      return commit(entries)
    }
  }

  const commitAlone = async (entry: Entry): Promise<Reply> => {
    try {
      const [reply] = await commit([entry])
      return reply as Reply
    } catch (error) {
      if (isTallyError(error, 'BUSY')) return keyErased
      if (!isDataError(error)) throw error
      log.error({ orderId: entry.event.key, error: describeError(error) }, 'the database refused an entry')
      return problem(500, 'An internal error occurred.')
    }
  }

  const book = gather(
    (entries: Entry[]) =>
      reachDatabase(async () => {
        try {
          return await commit(entries)
        } catch (error) {
          if (!isDataError(error) && !isTallyError(error, 'BUSY')) throw error
          // One entry is at fault, but it is unknown which: the others must not fail with it
          const replies: Reply[] = []
          for (const entry of entries) replies.push(await commitAlone(entry))
          return replies
        }
      }),
    limits,
  )
  const write = async (entry: Entry) => {
    const reply = await book.add(entry)
    if (reply !== keyErased) return reply
    throw new TallyError('BUSY', 'the data of this customer is being erased', { retryable: true })
  }
  return { write, idle: book.idle }
}

/** Stands for an entry whose key was erased since it was sealed. */
const keyErased: Reply = { status: 503, body: {} }

/** Writes a group: idempotency keys, orders, then the lanes, whose rows are locked last and in order, then the events. */
async function writeEntries(
  tx: Tx,
  entries: readonly Entry[],
  keys: Pick<CustomerKeys, 'hold'>,
  { number: generation, partitions }: Generation,
): Promise<{ replies: Reply[]; rows: OutboxBatch[] }> {
  const { fresh, replies } = await claimFresh(tx, entries)
  if (fresh.length === 0) return { replies, rows: [] }
  const byLane = Map.groupBy(fresh, ({ event }) => laneOf(event.key, partitions))
  const [gone, , firstSeqs] = await together(
    keys.hold(
      tx,
      fresh.flatMap(({ key }) => key ?? []),
    ),
    insertOrders(tx, fresh),
    lockLanesInOrder(tx, [...byLane.keys()], generation),
  )
  // Nobody could read what is sealed with such a key. The next attempt gets another one
  if (gone.length > 0) throw new TallyError('BUSY', 'The data of this customer is being erased')
  const rows = [...byLane].flatMap(([lane, own]) =>
    numberEvents(
      own.map(({ event }) => event),
      { writer: 'orders-api', lane, firstSeq: firstSeqs.get(lane) as number, generation },
    ),
  )
  const counts = new Map([...byLane].map(([lane, own]) => [lane, own.length]))
  await together(appendOutbox(tx, rows), advanceLanes(tx, counts))
  return { replies, rows }
}

/** Finds the entries that are not repeats, and the replies of all. */
async function claimFresh(tx: Tx, entries: readonly Entry[]): Promise<{ fresh: readonly Entry[]; replies: Reply[] }> {
  const keyed = entries.flatMap(({ idempotency, reply }) => (idempotency ? [{ ...idempotency, reply }] : []))
  const holders = keyed.length > 0 ? await claimKeys(tx, keyed) : new Map<string, KeyedReply>()
  const replies = entries.map(({ idempotency, reply }) => {
    const holder = idempotency && holders.get(idempotency.key)
    return holder ? repeat(holder, idempotency) : reply
  })
  // An entry that gets its own reply back is the first with its key
  const fresh = entries.filter(({ reply }, index) => reply === replies[index])
  const late = await findLate(tx, fresh)
  if (late.size === 0) return { fresh, replies }
  await releaseKeys(
    tx,
    [...late].flatMap(({ idempotency }) => idempotency?.key ?? []),
  )
  const lateReplies = new Map([...late].map(({ event, reply }) => [reply, cancellationOpen(event.key)]))
  return {
    fresh: fresh.filter((entry) => !late.has(entry)),
    // A repeat in the same group has the reply of the one that is late
    replies: replies.map((reply) => lateReplies.get(reply) ?? reply),
  }
}

/** Cancellations of orders for which another one is open by now. */
async function findLate(tx: Tx, entries: readonly Entry[]): Promise<Set<Entry>> {
  const first = new Map<string, Entry>()
  const late = new Set<Entry>()
  for (const entry of entries) {
    if (!entry.cancellation) continue
    if (first.has(entry.event.key)) late.add(entry)
    else first.set(entry.event.key, entry)
  }
  if (first.size === 0) return late
  const added = await addRequests(
    tx,
    [...first.values()].flatMap(({ cancellation }) => cancellation ?? []),
  )
  for (const [orderId, entry] of first) if (!added.has(orderId)) late.add(entry)
  return late
}

export const cancellationOpen = (orderId: string): Reply =>
  problem(409, `A cancellation of order ${orderId} is open already: follow the order.`)

const insert = prepared(
  'order_insert',
  `insert into placed_order (order_id, event_id, customer_id, currency, total_minor, lines, ship_to, placed_at)
   select * from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::json[], $7::json[],
                        $8::timestamptz[])`,
)

async function insertOrders(tx: Tx, entries: readonly Entry[]): Promise<void> {
  const orders = entries.flatMap(({ order, event }) => (order ? [{ ...order, eventId: event.eventId }] : []))
  if (orders.length === 0) return
  await insert(
    tx,
    orders.map(({ orderId }) => orderId),
    orders.map(({ eventId }) => eventId),
    orders.map(({ customerId }) => customerId),
    orders.map(({ currency }) => currency),
    orders.map(({ totalMinor }) => totalMinor),
    orders.map(({ lines }) => JSON.stringify(lines)),
    orders.map(({ shipTo }) => JSON.stringify(shipTo)),
    orders.map(({ placedAt }) => new Date(placedAt)),
  )
}
