/** Feed `parked`. */
export interface ParkedPage {
  events: number
  stuck: number
  causes: readonly ParkedCause[]
}

export interface ParkedCause {
  group: string
  /** As `npm run parked -- redrive --cause` takes it. */
  cause: string
  reason: string
  type: string | null
  source: string
  signature: string
  events: number
  keys: number
  stuck: number
  firstAt: string
  lastAt: string
}

/** Feed `parked-list?group=&cause=&key=&upTo=`: newest first. */
export interface ParkedList {
  entries: readonly ParkedEntry[]
  /** `upTo` of the next page; null at the end. */
  next: string | null
}

export interface ParkedEntry {
  /** `payment/17` */
  name: string
  key: string
  type: string | null
  record: string | null
  source: string
  reason: string
  error: string | null
  attempts: number
  parkedAt: string
  nextAttemptAt: string | null
  /** Name of the first of its key, possibly its own. */
  head: string
  behind: number
}

/** Feed `parked-event?name=payment/17`. */
export interface ParkedEvent {
  name: string
  group: string
  key: string
  lane: number
  type: string | null
  source: string
  reason: string
  error: string | null
  stack: string | null
  record: string | null
  eventId: string
  attempts: number
  parkedAt: string
  lastAttemptAt: string
  nextAttemptAt: string | null
  /** Decoded, as JSON text; null if it cannot be read. */
  payload: string | null
  unreadable: string | null
  /** Hex dump of the bytes. */
  raw: string
  bytes: number
  /** What an edit begins with: the event's data or the answer, as JSON text; null if nothing can be edited. */
  editable: string | null
  /** Changes with each edit: an edit of what another operator has changed meanwhile is refused. */
  seen: string
  headers: readonly (readonly [string, string])[]
  /** The key's parked events in order, this one included. */
  queue: readonly ParkedEntry[]
  audit: readonly AuditEntry[]
  obstacles: readonly string[]
  /** The key's row in the consumer's table, as JSON text. */
  state: string | null
}

/** Feed `parked-log?key=`. */
export interface ParkedLog {
  entries: readonly AuditEntry[]
}

export interface AuditEntry {
  at: string
  event: string
  key: string
  action: string
  actor: string
  why: string | null
}

/** Result of the job that a dry run is. */
export interface DryRunResult {
  keys: number
  tried: readonly KeyDryRun[]
}

export interface KeyDryRun {
  group: string
  key: string
  lane: number
  left: number
  events: readonly {
    name: string
    type: string | null
    outcome: string
    error: string | null
    effects: readonly string[]
  }[]
  rows: readonly { what: string; changes: readonly string[] }[]
  tables: readonly { table: string; inserted: number; updated: number; deleted: number }[]
}
