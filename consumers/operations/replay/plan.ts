import type { EventType } from '../../../schemas/generated/events.ts'

/**
 * - redeliver  moves the group back: its replicas receive the events again, and the inbox drops those it knows
 * - rebuild    fills new tables from the topics beside the group's, then swaps them in; for consumers without effects
 * - reprocess  runs the handlers on selected events again although the inbox knows them
 * - copy       writes selected events to another topic
 */
export type Mode = 'redeliver' | 'rebuild' | 'reprocess' | 'copy'
export const modeNames: readonly Mode[] = ['redeliver', 'rebuild', 'reprocess', 'copy']

/** Selects records of the ranges. Conditions of different kinds must all hold; of the same kind, any one. */
export interface Selector {
  readonly keys?: readonly string[]
  readonly types?: readonly EventType[]
  /** Without `value` the header must exist. */
  readonly headers?: readonly { readonly name: string; readonly value?: string }[]
}

/** A range of one partition and its contents when the plan was made. Offsets are safe integers (below 2^53). */
export interface PlanPartition {
  /** Without namespace. */
  readonly topic: string
  readonly partition: number
  /** The partition on the broker: its first offset, and the offset after its last. */
  readonly low: number
  readonly end: number
  /** The range `[from, to)`. */
  readonly from: number
  readonly to: number
  /** The group's position; null without a group, or if it never read the partition. */
  readonly position: number | null
  /** Requested offsets that retention has deleted. */
  readonly lost: number
  /** Records in the range, and selected ones. */
  readonly scanned: number
  readonly selected: number
  /** Of the selected: key, value and headers. */
  readonly bytes: number
  /** Times of the selected records, UTC epoch ms; null where there are none. */
  readonly firstTime: number | null
  readonly lastTime: number | null
  /** Selected records of types that the group handles; without a group, all. */
  readonly handled: number
  /** Handled records whose id the group's inbox knows. */
  readonly known: number
  /** Handled records below the group's position that the inbox no longer knows: repeated, they would take effect twice. */
  readonly forgotten: number
}

/** A schema id found in the range, in parked events or in an outbox. */
export interface PlanSchema {
  readonly id: number
  /** By the writer schema's name; null if this version has no such event. */
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
  /** Hash of the rest of the plan: an edited plan is rejected. */
  readonly id: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly mode: Mode
  /** The group that is replayed; for copy the group whose positions bound the range, if any. */
  readonly group: string | null
  /** The target of a copy, without namespace. */
  readonly toTopic: string | null
  /** Where the plan is valid. */
  readonly cluster: { readonly id: string; readonly namespace: string; readonly partitions: number }
  readonly topics: readonly { readonly topic: string; readonly topicId: string | null }[]
  readonly selector: Selector
  readonly partitions: readonly PlanPartition[]
  readonly schemas: readonly PlanSchema[]
  /** Selected records that do not begin with a schema id: they cannot be read. */
  readonly unframed: number
  /** Parked events of the group when the plan was made. */
  readonly parkedEvents: number
}
