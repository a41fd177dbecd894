/** Feed `replays`. */
export interface ReplaysPage {
  replays: readonly ReplayLine[]
}

export interface ReplayLine {
  id: number
  mode: string
  /** A consumer, or `topic <name>`. */
  target: string
  /** running, paused, stopped, done, cancelled, undone; `unattended` if its runner died */
  state: string
  reason: string | null
  actor: string
  why: string | null
  startedAt: string
  endedAt: string | null
  /** Share of its offsets, 0 to 1. */
  share: number
  /** What it has done so far. */
  figures: string
  can: readonly ('pause' | 'resume' | 'cancel' | 'undo')[]
}

/** Result of the job that a plan is. Counts are numbers of events; offsets are text. */
export interface PlanResult {
  plan: string
  mode: string
  group: string | null
  /** What a run will do. */
  describe: string
  selected: number
  scanned: number
  bytes: number
  lost: number
  handled: number
  known: number
  forgotten: number
  parked: number
  firstTime: string | null
  lastTime: string | null
  topics: readonly {
    topic: string
    partitions: number
    selected: number
    scanned: number
    known: number
    lost: number
  }[]
  partitions: readonly { place: string; from: string; to: string; selected: number }[]
  unreadable: readonly string[]
  /** Why it would be refused now. */
  refusals: readonly string[]
}

/** The consumers and topics a plan may name. Feed `replay-choices`. */
export interface ReplayChoices {
  groups: readonly { name: string; topics: readonly string[] }[]
  topics: readonly string[]
  types: readonly string[]
}
