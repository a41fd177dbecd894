import type { ReceivedEnvelope } from '../../schemas/envelope.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { EventData, EventType } from '../../schemas/generated/events.ts'
import type { SharedTable, StateTable } from './state-table.ts'

/**
 * The parts of a consumer. Terms:
 *
 * event     an immutable fact that travels on a topic
 * answer    the definite reply to a call (may be a refusal); handled like an event of the lane
 * timer     a point in time set by an earlier decision; when it is due, it is handled like an event of the lane
 * decision  the effects a handler returns; they take effect completely or not at all
 *
 * Handlers are pure: same input and state, same decision. No clock, no randomness, no I/O. They receive the
 * state of one key (the order) and, where lanes share rows (stock of an article), those rows.
 */

/** Facts about the input that a handler may use. */
export interface Context {
  /** Key of the record that started this: the order id, or the SKU for stock deliveries. */
  readonly key: string
  /** Id of the event; for answers and timers, of the event that led to them. */
  readonly eventId: string
  /**
   * When the event happened according to its producer (UTC epoch ms); for timers, when they are due. It is the only
   * clock of a handler, so that running the handler again returns the same decision. Use it to date results, not to
   * make decisions: a producer's clock may be wrong. Use a timer for a deadline.
   */
  readonly time: number
  /** Place of the event; absent for answers and timers. */
  readonly at?: { readonly topic: string; readonly partition: number; readonly offset: number }
  /** Reads the event's metadata from its headers; absent for answers and timers. */
  readonly envelope?: () => ReceivedEnvelope
}

export type Emitted = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

export interface CallIntent {
  /** Name of an entry of the consumer's `calls`. */
  kind: string
  /** Parameters of the call, JSON. */
  request: object
}

export interface TimerIntent {
  /** Name of an entry of the consumer's `timers`. */
  kind: string
  /** Milliseconds, measured by the database from the processing of the event, independent of any producer's clock. */
  afterMs: number
}

export interface Decision<State, Row = never> {
  /** The key's new state; omitted = unchanged. */
  state?: State
  /** New contents of shared rows, by id; rows not named stay as they are. */
  shared?: ReadonlyMap<string, Row>
  events?: readonly Emitted[]
  calls?: readonly CallIntent[]
  timers?: readonly TimerIntent[]
  /** Kinds of the key's timers that are not needed any more: those set before do not fire. */
  withdraw?: readonly string[]
}

export type SharedRows<Row> = ReadonlyMap<string, Row>

export type Handler<Input, State, Row = never> = (
  input: Input,
  state: State,
  context: Context,
  shared: SharedRows<Row>,
) => Decision<State, Row>

/** What a call may use, apart from its request. */
export interface MakeOptions {
  readonly idempotencyKey: string
  readonly signal: AbortSignal
  readonly traceparent?: string | undefined
  /** Connections of this replica, to look up what must not lie in the request. */
  readonly pool: Pool
}

/** One kind of outside call: how to make it and what its definite answer means. */
export interface CallHandler<State, Row = never> {
  /**
   * Makes the call. Resolves with a definite answer (JSON, may be a refusal). Throws if the outcome is unknown, or if
   * the other side is down, slow or returns an invalid response: the call is then retried with the same key.
   */
  make(request: never, options: MakeOptions): Promise<object>
  handle: Handler<never, State, Row>
  /**
   * The other side deduplicates by key: repeating the call changes nothing and returns the same answer.
   * @default false
   */
  idempotent?: boolean
}

/**
 * Effects of a consumer beyond its own rows: none (a projection, which can be rebuilt), local (it publishes events) or
 * external (calls, mails), which no transaction can roll back.
 */
export type Effects = 'none' | 'local' | 'external'

export interface ConsumerDefinition<State, Row = never> {
  /** Group name without namespace, also the name of its folder. */
  group: string
  /** Determines which replays are allowed. @default 'external', which allows the fewest */
  effects?: Effects
  /**
   * Where the group begins in a topic it has never read: with the first event the broker still has, or with events
   * written after its first start. The ledger counts the omitted events as ignored.
   * @default 'first'
   */
  begins?: 'first' | 'now'
  /** Tables of other services that it reads, by schema (without namespace). @default none */
  alsoReads?: Readonly<Record<string, readonly string[]>>
  /** One row per key of the lane. */
  state: StateTable<State>
  /** Rows that several lanes change, locked in order after the lane row. */
  shared?: SharedTable<Row, State>
  /** By event type. Types without a handler only move the ledger. */
  handlers: { readonly [T in EventType]?: Handler<EventData[T], State, Row> }
  calls?: Readonly<Record<string, CallHandler<State, Row>>>
  /** Calls that a process makes at a time. @default 64 */
  callsAtOnce?: number
  timers?: Readonly<Record<string, Handler<{ kind: string }, State, Row>>>
}

/** Type-checks a definition and returns it unchanged. */
export const defineConsumer = <State, Row = never>(
  definition: ConsumerDefinition<State, Row>,
): ConsumerDefinition<State, Row> => definition
