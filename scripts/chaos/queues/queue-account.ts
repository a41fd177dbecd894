import type { Drained } from '../../../infra/testing/queues/drain.ts'
import type { PublishedEvent } from './published.ts'

/** What the database says of the messages of a queue. */
export interface Taken {
  /** Order id by message id. */
  readonly orders: ReadonlyMap<string, string>
  /** Ids of dead letters. */
  readonly deadLetters: ReadonlySet<string>
}

/** How what was sent, taken and forwarded fit together; the lists are empty if they do. */
export interface QueueAccount {
  /** Messages that became orders. */
  readonly orders: number
  readonly deadLetters: number
  /** Different events that came out, and repeats of them. */
  readonly forwarded: number
  readonly repeated: number
  /** A sentence each. */
  readonly violations: readonly string[]
}

/**
 * Compares a queue with the topics: each message is one order with one OrderPlaced event, or a dead letter; each forwarded
 * event came out, those of a key and topic in their order, and nothing else did.
 * @param published all events of the topics, in the order of their offsets
 * @param wanted the types that are forwarded
 */
export function accountOf(
  sent: { readonly orders: ReadonlySet<string>; readonly nonsense: ReadonlySet<string> },
  taken: Taken,
  published: readonly PublishedEvent[],
  out: { readonly drained: readonly Drained[]; readonly wanted: (type: PublishedEvent['type']) => boolean },
): QueueAccount {
  const placements = new Map<string, number>()
  for (const { type, key } of published) if (type === 'OrderPlaced') placements.set(key, (placements.get(key) ?? 0) + 1)
  const expected = new Map(published.filter(({ type }) => out.wanted(type)).map((event) => [event.id, event]))
  const cameOut = [...new Set(out.drained.map(({ id }) => id))] // In the order of their first occurrence
  const orderIds = [...taken.orders.values()]
  const violations = [
    ...sentences(without(sent.orders, taken.orders), 'messages became no order'),
    ...sentences(without(taken.orders.keys(), sent.orders), 'orders belong to no message that was sent'),
    ...sentences(repeats(orderIds), 'orders belong to several messages'),
    ...sentences(
      orderIds.filter((orderId) => placements.get(orderId) !== 1),
      'orders of messages have not exactly one OrderPlaced event',
    ),
    ...sentences(without(sent.nonsense, taken.deadLetters), 'messages that cannot be orders are no dead letters'),
    ...sentences(without(taken.deadLetters, sent.nonsense), 'orders are dead letters'),
    ...sentences(without(expected.keys(), new Set(cameOut)), 'events of the topics did not come out'),
    ...sentences(without(cameOut, expected), 'events came out that are not on the topics'),
    ...sentences(disordered(expected, cameOut), 'keys have events that came out in another order'),
  ]
  return {
    orders: taken.orders.size,
    deadLetters: taken.deadLetters.size,
    forwarded: cameOut.length,
    repeated: out.drained.length - cameOut.length,
    violations,
  }
}

function sentences(ids: Iterable<string>, what: string): string[] {
  const all = [...ids]
  return all.length === 0 ? [] : [`${all.length} ${what}: ${all.slice(0, 3).join(', ')}`]
}

const without = (ids: Iterable<string>, others: { has(id: string): boolean }): string[] =>
  [...ids].filter((id) => !others.has(id))

const repeats = (ids: readonly string[]): Set<string> => {
  const seen = new Set<string>()
  return new Set(ids.filter((id) => seen.size === seen.add(id).size))
}

/** Topics have no order among them. */
function disordered(expected: ReadonlyMap<string, PublishedEvent>, cameOut: readonly string[]): string[] {
  const place = ({ topic, key }: PublishedEvent) => `${topic}/${key}`
  const out = new Set(cameOut)
  const events = [...expected.values()].filter(({ id }) => out.has(id))
  const wanted = Map.groupBy(events, place)
  const came = Map.groupBy(
    cameOut.map((id) => expected.get(id)).filter((event) => event !== undefined),
    place,
  )
  const idsOf = (some: readonly PublishedEvent[] = []) => some.map(({ id }) => id).join()
  return [...wanted].filter(([at, some]) => idsOf(some) !== idsOf(came.get(at))).map(([at]) => at)
}
