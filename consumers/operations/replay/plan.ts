import type { EventType } from '../../../schemas/generated/events.ts'

/**
 * - redeliver  moves the group back: its replicas take the events again, and the inbox drops what they took before
 * - rebuild    fills the group's tables aside from the topics, then swaps them in; for consumers without effects
 * - reprocess  runs the handlers again on chosen events although the inbox knows them
 * - copy       writes chosen events to another topic
 */
export type Mode = 'redeliver' | 'rebuild' | 'reprocess' | 'copy'
export const modes: readonly Mode[] = ['redeliver', 'rebuild', 'reprocess', 'copy']

/** Which records of the ranges are meant. Conditions of different kinds must all hold; of one kind, one of them. */
export interface Selector {
  readonly keys?: readonly string[]
  readonly types?: readonly EventType[]
  /** `value` absent: the header is there, whatever it says. */
  readonly headers?: readonly { readonly name: string; readonly value?: string }[]
}

/** A range of one partition, and what was found in it when the plan was made. Offsets are safe integers (below 2^53). */
export interface PlanPartition {
  /** Without namespace. */
  readonly topic: string
  readonly partition: number
  /** What the broker had: first offset, and the offset after the last. */
  readonly low: number
  readonly end: number
  /** What is replayed: `[from, to)`. */
  readonly from: number
  readonly to: number
  /** Where the group stood; null without a group, or where it never read. */
  readonly position: number | null
  /** Offsets asked for that retention has deleted. */
  readonly lost: number
  /** Records in the range, and those the selector means. */
  readonly scanned: number
  readonly selected: number
  /** Of the selected: key, value and headers. */
  readonly bytes: number
  /** Times of the selected records, UTC epoch ms; null where there are none. */
  readonly firstTime: number | null
  readonly lastTime: number | null
  /** Of the selected, those of types the group handles; without a group all. */
  readonly handled: number
  /** Of the handled, those whose id the group's inbox knows. */
  readonly known: number
  /** Of the handled below the group's position, those the inbox does not know any more: a repeat would take effect twice. */
  readonly forgotten: number
}

/** A schema id met in the range, or in rows that wait in a parking lot or outbox. */
export interface PlanSchema {
  readonly id: number
  /** By the writer schema's name; null where this version knows no such event. */
  readonly type: string | null
  /** Selected records written with it, parked events, and rows of outboxes. */
  readonly records: number
  readonly parked: number
  readonly outbox: number
  /** Why today's reader schema cannot read it; null if it can. */
  readonly unreadable: string | null
}

export interface Plan {
  readonly format: 1
  /** Hash of all the rest: an edited plan is refused. */
  readonly id: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly mode: Mode
  /** The group that replays; for copy the one whose positions bound the range, if any. */
  readonly group: string | null
  /** Where copy writes, name without namespace. */
  readonly toTopic: string | null
  /** What the plan is true for. */
  readonly cluster: { readonly id: string; readonly namespace: string; readonly partitions: number }
  readonly topics: readonly { readonly topic: string; readonly topicId: string | null }[]
  readonly selector: Selector
  readonly partitions: readonly PlanPartition[]
  readonly schemas: readonly PlanSchema[]
  /** Selected records without a schema id in front: no reader can take them. */
  readonly unframed: number
  /** Events of the group that were parked when the plan was made. */
  readonly parkedEvents: number
}
