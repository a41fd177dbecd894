/** Feed `orders?text=&status=&after=`. Times are UTC, ISO 8601; offsets and amounts are text, because they are int64. */
export interface OrdersPage {
  orders: readonly OrderLine[]
  next: string | null
}

export interface OrderLine {
  orderId: string
  status: string
  reason: string | null
  customerId: string | null
  currency: string | null
  totalMinor: string | null
  placedAt: string | null
  updatedAt: string
  endedAt: string | null
}

/** Feed `order?id=`. */
export interface OrderPage {
  orderId: string
  lane: number
  order: OrderLine | null
  waiting: readonly WaitReason[]
  events: readonly OrderEvent[]
  consumers: readonly ConsumerPart[]
  /** What could not be read. */
  gaps: readonly string[]
  /** The database's time of this reading is not needed to be exact: for "x ago". */
  readAt: string
}

export interface WaitReason {
  sentence: string
  command?: string
  needs: 'operator' | 'automatic'
}

export interface OrderEvent {
  eventId: string
  type: string
  writer: string | null
  causationId: string | null
  /** Number of causes before it. */
  depth: number
  /** `orders/3@1200` */
  place: string | null
  repeats: readonly string[]
  happenedAt: string | null
  publishedAt: string | null
  schema: string | null
  bytes: number | null
  /** JSON text, indented. */
  payload: string | null
  /** Differences to the event that caused it, or to the one before: `totalMinor: 1 → 2`. */
  changes: readonly string[]
  changedFrom: string | null
  unreadable: string | null
  /** Hex dump of the first bytes. */
  raw: string | null
  summary: string | null
  headers: readonly (readonly [string, string])[]
  reads: readonly EventRead[]
}

/** What one consumer made of an event. */
export interface EventRead {
  consumer: string
  /** - handled, parked: see the words - dropped: by an operator - unread: the lane is not there yet */
  state: 'handled' | 'parked' | 'dropped' | 'unread' | 'unknown'
  at: string | null
  /** Replays that read it again. */
  replays: readonly number[]
  detail: string | null
}

export interface ConsumerPart {
  consumer: string
  condition: string
  owner: string | null
  parked: readonly { id: number; type: string | null; reason: string; error: string | null; parkedAt: string }[]
  calls: readonly { kind: string; attempts: number; lastError: string | null; nextAttemptAt: string; request: string }[]
  timers: readonly { kind: string; dueAt: string }[]
  audit: readonly { at: string; action: string; actor: string; why: string | null; event: string }[]
}
