/** A refusal or a part that is away, RFC 9457. */
export interface Problem {
  title?: string
  status?: number
  /** What is wrong, and what to do about it. */
  detail?: string
}

/** What an act answers. */
export interface Done {
  /** What was done, a sentence each. */
  said: readonly string[]
  /** The command line that does the same, if there is one. */
  command?: string
  /** Work that goes on: the feed `job?id=…` tells how far it is. */
  job?: string
}

/** Work that an operator has begun. */
export interface Job {
  id: string
  title: string
  startedAt: string
  endedAt: string | null
  state: 'running' | 'done' | 'failed'
  /** How far it is, and what came of it. */
  lines: readonly string[]
  /** Share of the work, 0 to 1; null if unknown. */
  progress: number | null
  /** Shape by kind of work; null while it runs. */
  result: unknown
}
