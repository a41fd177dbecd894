/** Feed `lanes`. */
export interface LanesPage {
  consumers: readonly ConsumerLanes[]
  /** Consumers without tables. */
  undeployed: readonly string[]
  /** Why the ends of the topics, and with them the lag, are unknown. */
  brokerTrouble: string | null
}

export interface ConsumerLanes {
  consumer: string
  topics: readonly string[]
  /** Processes that own a lane, by name; lanes without an owner are listed under null. */
  replicas: readonly (string | null)[]
  lanes: readonly Lane[]
  behind: number | null
  behindMs: number
  parked: number
  /** Events a second since the last reading; null if there was none. */
  rate: number | null
  /** What is conspicuous about the shares of replicas; empty if nothing is. */
  skew: string | null
}

export interface Lane {
  lane: number
  condition: string
  replica: string | null
  owner: string | null
  epoch: number
  behind: number | null
  behindMs: number
  parked: number
  calls: number
  timers: number
  outbox: number
  /** Time since its owner's last query, milliseconds. */
  silentMs: number | null
  /** What is wrong, a sentence each. */
  /** Each with the command line that helps, if there is one. */
  troubles: readonly { text: string; cure: string | null }[]
  /** Acts of the page that may help. */
  can: readonly ('pause' | 'resume' | 'accept-loss' | 'skip')[]
  topics: readonly { topic: string; position: string; end: string | null }[]
}

/** Feed `summary`: what the navigation shows on every page. */
export interface Summary {
  /** Parked events, and those of them that wait for an operator. */
  parked: number
  forOperator: number
  /** Lanes that need attention for another reason. */
  troubledLanes: number
}

/** Feed `lane?consumer=&lane=`. */
export interface LaneHistory {
  /** Who has owned the lane, newest first, and what became of the offsets. */
  spans: readonly {
    epoch: number
    topic: string
    first: string
    next: string
    taken: string
    duplicates: string
    ignored: string
    parked: string
    holes: string
    replay: number | null
  }[]
}

/** Feed `processes`. */
export interface ProcessesPage {
  processes: readonly { name: string; title: string; kind: string; state: string; since: string; restarts: number }[]
}

/** Result of the job that advice is. */
export interface AdviceResult {
  consumers: readonly { consumer: string; replicas: number; needed: number; because: readonly string[] }[]
}
