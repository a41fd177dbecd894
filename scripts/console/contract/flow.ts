/** Feed `flow`. Rates are events a second; null if they are not known yet. */
export interface FlowPage {
  topics: readonly FlowTopic[]
  consumers: readonly FlowConsumer[]
  reads: readonly FlowEdge[]
  /** Unpublished events of the orders API. */
  unpublished: { events: number; oldestMs: number | null } | null
  brokerTrouble: string | null
  /** Why only what the code says is known. */
  databaseTrouble: string | null
}

export interface FlowTopic {
  name: string
  /** `payment`; `orders API`, `scripts` */
  writers: readonly string[]
  events: readonly string[]
  /** Records so far, all partitions together. */
  records: string | null
  rate: number | null
  /** Of the last hour. */
  history: readonly Point[]
}

export interface FlowConsumer {
  name: string
  /** Null, as `parked` and `failingCalls`, while the database does not answer. */
  replicas: number | null
  behind: number | null
  behindMs: number
  parked: number | null
  /** Calls to the outside world without an answer. */
  failingCalls: number | null
  /** How long its cycles wait for more work at most; 0 if they do not. */
  lingerMs: number
  /** Lanes that need attention. */
  troubled: number
  rate: number | null
  history: readonly Point[]
}

/** A consumer reads a topic. */
export interface FlowEdge {
  topic: string
  consumer: string
  handles: readonly string[]
  rate: number | null
  behind: number | null
}

/** A moment of the last hour. */
export interface Point {
  at: string
  rate: number | null
  behind: number | null
}
