import type { ConsumerLoad } from '../consumer-load.ts'

/** A measurement of a consumer. */
export interface Seen {
  readonly load: ConsumerLoad
  /** Utilization by replica name, 0 to 1: processor or database connections, whichever is higher. */
  readonly busy: ReadonlyMap<string, number>
  readonly machine: Machine
  /** Highest rate of a saturated replica in earlier measurements, events per second. */
  readonly capacity?: number
  /** The most frequent key among the unread records of the lane with the largest lag. */
  readonly heaviestKey?: KeyShare
}

export interface Machine {
  readonly cores: number
  /** Utilization of all cores, 0 to 1. */
  readonly busy: number
}

export interface KeyShare {
  readonly lane: number
  readonly key: string
  /** 0 to 1 */
  readonly share: number
}

export interface Goals {
  /** Maximum lag, seconds. */
  readonly lagSeconds: number
  /** Time within which a backlog should be drained, seconds. */
  readonly drainSeconds: number
  readonly min: number
  readonly max: number
  /** Whether replicas can start on other machines: this one's processors are then no limit. */
  readonly otherMachines?: boolean
}
