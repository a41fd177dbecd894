import type { RowChange } from '../../record-changes.ts'
import type { TableChange } from '../../written-rows.ts'
import type { EventType } from '../../../../schemas/generated/events.ts'
import type { Figures, ReplayFailure } from '../mode.ts'
import type { NewCall, NewTimer } from '../../../runtime/model.ts'

/** An event that would go out. */
export interface DryRunEvent {
  readonly id: string
  readonly type: EventType | null
  /** Without namespace. */
  readonly topic: string
  readonly key: string
  readonly value: Buffer
  /** Groups that handle its type: those that know the id will drop it. */
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

/** What some events of a plan would lead to. Nothing of it has happened. */
export interface PlanDryRun {
  /** Events the plan means, and those that were tried here. */
  readonly selected: number
  readonly tried: number
  /** What became of those that were tried, by name: `{ handled: 98, known: 0, dropped: 1, ignored: 0, failed: 1 }`. */
  readonly figures: Figures
  /** The group's rows that would change, and those shared with other keys, as each lane by itself would change them. */
  readonly states: readonly RowChange[]
  readonly shared: readonly RowChange[]
  /** Rows of every table of the group that would be written, changed by that or not. */
  readonly tables: readonly TableChange[]
  readonly events: readonly DryRunEvent[]
  readonly calls: readonly NewCall[]
  readonly timers: readonly NewTimer[]
  readonly failures: readonly ReplayFailure[]
  readonly copies: readonly DryRunCopy[]
  /** Lanes that could not be looked at, and why. */
  readonly left: readonly { readonly lane: number; readonly why: string }[]
}

/** What one lane's part of it would lead to. */
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
