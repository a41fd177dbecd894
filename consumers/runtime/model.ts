import type { Ownership } from '../../producers/outbox/lane-table.ts'
import type { KafkaMessage } from 'kafkajs'
import type { UnnumberedEvent } from '../../producers/outbox/outbox-batch.ts'
import type { EventData, EventType } from '../../schemas/generated/events.ts'

export type { Ownership }

/**
 * The cause of a decision. All resulting ids derive from it, so running the handler again yields the same ids.
 * Stored as JSON with calls and timers.
 */
export interface Cause {
  /** Id that derived ids hash: of the event, or of the call or timer in between. */
  id: string
  /** Id of the event, passed on as `ce_causationid`. */
  eventId: string
  /** When the event happened according to its producer, UTC epoch ms; for a timer, when it is due. */
  time: number
  /** When the event that started the chain happened, UTC epoch ms; the first part of derived ids. */
  chainTime: number
  correlationId: string
  traceparent?: string
  /** Replay that corrects earlier effects: the ids of resulting events hash it, so that consumers treat them as new. */
  correctedBy?: number
}

interface Keyed {
  /** Key of the state it concerns: the order id, or the SKU for stock deliveries. */
  readonly key: string
  readonly cause: Cause
}

/**
 * A record of a topic the group reads. If it could not be read, `event` is absent and `unreadable` gives the reason.
 */
export interface RecordInput extends Keyed {
  readonly source: 'record'
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly message: KafkaMessage
  /** Id under which the inbox remembers it. */
  readonly inboxId: string
  /** Id of its place, under which the inbox remembers a record that could not be read. */
  readonly placeId: () => string
  readonly event?: { type: EventType; data: EventData[EventType] }
  readonly unreadable?: { reason: 'UNREADABLE' | 'MISROUTED' | 'KILLED_PROCESS'; error: string }
}

/** The definite answer to a call. */
export interface AnswerInput extends Keyed {
  readonly source: 'answer'
  readonly id: string
  readonly kind: string
  readonly answer: object
}

/** A timer that is due. */
export interface TimerInput extends Keyed {
  readonly source: 'timer'
  readonly id: string
  readonly kind: string
}

export type Input = RecordInput | AnswerInput | TimerInput

/** A parked input that is retried. */
export interface Retry {
  readonly parkedId: number
  /** Revision of the row when it was read. */
  readonly revision: number
  readonly attempts: number
  /** Key and inbox id under which it is parked. A record that has become readable may have others. */
  readonly parkedKey: string
  readonly parkedInboxId: string
  readonly input: Input
}

/** Offsets a batch of records covers: `[from, to)` of one partition, `ignored` and `holes` included. */
export interface OffsetMove {
  readonly topic: string
  readonly from: number
  readonly to: number
  readonly ignored: number
  readonly holes: number
  /** A redelivery: the lane has processed these offsets before. */
  readonly again?: boolean
}

/**
 * Records selected by a replay, all below the lane's positions: the ledger does not move, and none of them is parked.
 */
export interface Chosen {
  readonly source: 'chosen'
  readonly inputs: readonly RecordInput[]
  /** `bypass` still adds unknown ids to the inbox but processes every record: the replay itself excludes repeats. */
  readonly inbox: 'honour' | 'bypass'
}

/** Inputs of one lane that take effect in one transaction. */
export type Batch =
  | { readonly source: 'record'; readonly inputs: readonly RecordInput[]; readonly move: OffsetMove }
  | Chosen
  | { readonly source: 'answer'; readonly inputs: readonly AnswerInput[] }
  | { readonly source: 'timer'; readonly inputs: readonly TimerInput[] }
  | { readonly source: 'parked'; readonly inputs: readonly Retry[] }

/** A batch and the lane it belongs to. */
export interface LaneBatch {
  readonly own: Ownership
  readonly batch: Batch
  /** Parks the batch's only input for this reason instead of handling it. */
  readonly refusal?: Refusal
}

/** A call or timer to store. Its id is derived, so deciding again yields the same id. */
export interface Intent {
  readonly id: string
  readonly key: string
  readonly kind: string
  readonly cause: Cause
}
export type NewCall = Intent & { readonly request: object }
/**
 * Due `afterMs` after the start of the transaction that stores it. `cause.time` is that time by the process's clock.
 */
export type NewTimer = Intent & { readonly afterMs: number }

/** An input that must wait: because it failed (`reason`), or behind a parked input of its key (`BEHIND`). */
export interface ParkedInput {
  readonly input: Input
  readonly reason:
    | 'UNREADABLE' // no reader schema can decode it, or it breaks the event's own rules
    | 'MISROUTED' // its type belongs to another topic, or its key to another partition
    | 'HANDLER_FAILED' // the handler threw
    | 'REFUSED_BY_DATABASE' // its effects cannot be stored
    | 'KILLED_PROCESS' // the process died repeatedly while handling it
    | 'BEHIND' // only waits for its key
  /** One line. */
  readonly error?: string
  readonly stack?: string
}

/** Why an input is parked instead of handled. */
export type Refusal = Omit<ParkedInput, 'input'>

/** Timers of a key that are not needed any more. */
export interface WithdrawnTimer {
  readonly key: string
  readonly kind: string
}

/** The effects of a batch of inputs, before anything is written. */
export interface Outcome<State, Row> {
  readonly states: Map<string, State>
  readonly shared: Map<string, Row>
  readonly events: UnnumberedEvent[]
  readonly calls: NewCall[]
  readonly timers: NewTimer[]
  readonly withdrawn: WithdrawnTimer[]
  readonly parked: ParkedInput[]
}
