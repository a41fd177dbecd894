import type { KafkaMessage } from 'kafkajs'
import type { EventData, EventType } from '../../schemas/generated/events.ts'

/**
 * What led to a decision. Ids of everything that follows derive from it, so deciding again yields the same ids.
 * Stored as JSON with calls and timers.
 */
export interface Cause {
  /** Id that derived ids hash: of the event, or of the call or timer that stands between. */
  id: string
  /** Id of the event; goes on as `ce_causationid`. */
  eventId: string
  /** When the event happened, UTC epoch ms. */
  time: number
  /** When the event that started the chain happened, UTC epoch ms; the front of derived ids. */
  chainTime: number
  correlationId: string
  traceparent?: string
  /** Replay that corrects what followed the first time: ids of events that follow hash it, so that others take them as new. */
  correctedBy?: number
}

interface Keyed {
  /** Key of the state it concerns: the order id, or the SKU for stock deliveries. */
  readonly key: string
  readonly cause: Cause
}

/** A record of a topic the group reads. Without `event` it could not be read and `unreadable` says why. */
export interface RecordInput extends Keyed {
  readonly source: 'record'
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly message: KafkaMessage
  /** Id under which the inbox remembers it. */
  readonly inboxId: string
  /** Id of its place, under which the inbox remembers what could not be read. */
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

/** A timer that has come due. */
export interface TimerInput extends Keyed {
  readonly source: 'timer'
  readonly id: string
  readonly kind: string
}

export type Input = RecordInput | AnswerInput | TimerInput

/** A parked input that is tried again. */
export interface Retry {
  readonly parkedId: number
  /** Of the row when it was read. */
  readonly revision: number
  readonly attempts: number
  /** Key and inbox id under which it is parked; a record that can be read only now may have others of its own. */
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
  /** A replay has the lane take them again. */
  readonly again?: boolean
}

/** Records a replay has chosen, all below the lane's positions: the ledger is not moved, and nothing of them is parked. */
export interface Chosen {
  readonly source: 'chosen'
  readonly inputs: readonly RecordInput[]
  /** Bypassed, it learns the ids it does not know, but all are handled: the replay sees to it that none comes twice. */
  readonly inbox: 'honour' | 'bypass'
}

/** Inputs of one lane that take effect in one transaction. */
export type Batch =
  | { readonly source: 'record'; readonly inputs: readonly RecordInput[]; readonly move: OffsetMove }
  | Chosen
  | { readonly source: 'answer'; readonly inputs: readonly AnswerInput[] }
  | { readonly source: 'timer'; readonly inputs: readonly TimerInput[] }
  | { readonly source: 'parked'; readonly inputs: readonly Retry[] }
