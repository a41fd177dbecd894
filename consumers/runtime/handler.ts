import type { EventData, EventType } from '../../schemas/generated/events.ts'
import type { SharedTable, StateTable } from './state-table.ts'

/**
 * What a consumer is made of. Words:
 *
 * event     an immutable fact that travels on a topic
 * answer    the definite reply to a call, a refusal included; handled like an event of the lane
 * timer     a moment decided earlier that has come; handled like an event of the lane
 * decision  what a handler wants to happen; it happens wholly or not at all
 *
 * Handlers are pure: same input and state, same decision. No clock, no randomness, no input or output. They take the
 * state of one key (the order) and, where lanes share rows (stock of an article), those rows.
 */

/** Facts about the input a handler may use. */
export interface Context {
  /** Key of the record that started this: the order id, or the SKU for stock deliveries. */
  readonly key: string
  /** Id of the event; for answers and timers, of the event that led to them. */
  readonly eventId: string
  /** When the event happened (UTC epoch ms). The only "now" a handler knows, so that running it again decides the same. */
  readonly time: number
  /** Where the event lies; absent for answers and timers. */
  readonly at?: { readonly topic: string; readonly partition: number; readonly offset: number }
}

export type Emitted = { [T in EventType]: { type: T; data: EventData[T] } }[EventType]

export interface CallIntent {
  /** Name of an entry of the consumer's `calls`. */
  kind: string
  /** JSON the call needs. */
  request: object
}

export interface TimerIntent {
  /** Name of an entry of the consumer's `timers`. */
  kind: string
  /** UTC epoch ms, computed from `context.time`. */
  dueAt: number
}

export interface Decision<State, Row = never> {
  /** The key's new state; omitted = unchanged. */
  state?: State
  /** New contents of shared rows, by id; rows not named stay as they are. */
  shared?: ReadonlyMap<string, Row>
  events?: readonly Emitted[]
  calls?: readonly CallIntent[]
  timers?: readonly TimerIntent[]
}

export type SharedRows<Row> = ReadonlyMap<string, Row>

export type Handler<Input, State, Row = never> = (
  input: Input,
  state: State,
  context: Context,
  shared: SharedRows<Row>,
) => Decision<State, Row>

/** One kind of outside call: how to make it and what its definite answer means. */
export interface CallHandler<State, Row = never> {
  /**
   * Makes the call. Resolves with a definite answer, JSON, a refusal included; throws when the outcome is unknown or the
   * other side is down, slow or talks nonsense: then it is made again later with the same key.
   */
  make(request: never, options: { idempotencyKey: string; signal: AbortSignal }): Promise<object>
  handle: Handler<never, State, Row>
  /** The other side knows the key: the same call made again changes nothing and has the same answer. @default false */
  idempotent?: boolean
}

/**
 * What a consumer does besides writing rows of its own: nothing (a projection, which may be rebuilt), publish events, or act
 * on the outside world (calls, mails), which no transaction takes back.
 */
export type Effects = 'none' | 'local' | 'external'

export interface ConsumerDefinition<State, Row = never> {
  /** Group name without namespace, also the name of its folder. */
  group: string
  /** Decides which replays are allowed. @default 'external', which allows the least */
  effects?: Effects
  /**
   * Where the group begins in a topic it has never read: with the first event the broker still has, or with those written
   * from its first start on. What it leaves out is in its ledger, as ignored.
   * @default 'first'
   */
  begins?: 'first' | 'now'
  /** One row per key of the lane. */
  state: StateTable<State>
  /** Rows that several lanes change, locked in order after the lane row. */
  shared?: SharedTable<Row, State>
  /** By event type. Types without a handler only move the ledger. */
  handlers: { readonly [T in EventType]?: Handler<EventData[T], State, Row> }
  calls?: Readonly<Record<string, CallHandler<State, Row>>>
  timers?: Readonly<Record<string, Handler<{ kind: string }, State, Row>>>
}

/** Loses nothing, checks everything: gives the definition its type. */
export const defineConsumer = <State, Row = never>(
  definition: ConsumerDefinition<State, Row>,
): ConsumerDefinition<State, Row> => definition
