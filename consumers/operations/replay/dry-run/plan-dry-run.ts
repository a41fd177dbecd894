import type { RowChange } from '../../record-changes.ts'
import type { TableChange } from '../../written-rows.ts'
import type { EventType } from '../../../../schemas/generated/events.ts'
import type { Figures, ReplayFailure } from '../mode.ts'
import type { NewCall, NewTimer } from '../../../runtime/model.ts'

/** An event that would be published. */
export interface DryRunEvent {
  readonly id: string
  readonly type: EventType | null
  /** Without namespace. */
  readonly topic: string
  readonly key: string
  readonly value: Buffer
  /** Groups that handle its type. Those that know its id would drop it. */
  readonly readers: readonly { readonly group: string; readonly known: boolean }[]
}

/** A record that would be copied. */
export interface DryRunCopy {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly type: EventType | null
  readonly bytes: number
  readonly toTopic: string
}

/** The effects that some events of a plan would have. Nothing was changed. */
export interface PlanDryRun {
  /** Number of events that the plan selects, and of those tried here. */
  readonly selected: number
  readonly tried: number
  /** Outcomes of the events tried, by name: `{ handled: 98, known: 0, dropped: 1, ignored: 0, failed: 1 }`. */
  readonly figures: Figures
  /** Rows that would change: the group's, and those shared with other keys, as each lane alone would change them. */
  readonly states: readonly RowChange[]
  readonly shared: readonly RowChange[]
  /** Numbers of rows that would be written, by table of the group, whether or not their contents would change. */
  readonly tables: readonly TableChange[]
  readonly events: readonly DryRunEvent[]
  readonly calls: readonly NewCall[]
  readonly timers: readonly NewTimer[]
  readonly failures: readonly ReplayFailure[]
  readonly copies: readonly DryRunCopy[]
  /** Lanes that could not be tried, with the reason. */
  readonly left: readonly { readonly lane: number; readonly why: string }[]
}

/** The part of a dry run that concerns one lane. */
export type LaneDryRun = Omit<PlanDryRun, 'selected' | 'tried' | 'events'> & {
  readonly events: readonly Omit<DryRunEvent, 'readers'>[]
}

export const nothing: LaneDryRun = {
  figures: {},
  states: [],
  shared: [],
  tables: [],
  events: [],
  calls: [],
  timers: [],
  failures: [],
  copies: [],
  left: [],
}
