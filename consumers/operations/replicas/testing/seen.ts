import type { LaneHealth } from '../../lanes/lane-health.ts'
import type { Seen } from '../advice/measurement.ts'
import type { LaneLoad } from '../consumer-load.ts'

/** What of a lane matters to advice; the rest is that of a lane that is well. */
export type LaneFigures = Partial<Omit<LaneLoad, 'health'>> & { readonly health?: Partial<LaneHealth> }

/** A consumer at work, as a look would have found it. */
export interface Figures {
  readonly replicas: number
  readonly lanes: readonly LaneFigures[]
  /** Of each replica, 0 to 1. */
  readonly busy?: number
  readonly cpuPercent?: number
  readonly machine?: Seen['machine']
  readonly capacity?: number
  readonly heaviestKey?: Seen['heaviestKey']
}

/** Lanes are dealt to the replicas in turn. */
export function seen({ replicas, lanes, busy = 0, cpuPercent = 0, machine, capacity, heaviestKey }: Figures): Seen {
  const loads = lanes.map(laneLoad)
  const names = Array.from({ length: replicas }, (_, index) => `payment-${index + 1}`)
  const own = names.map((replica, index) => ({
    ...{ replica, pid: 100 + index, cpuPercent, residentBytes: 1 },
    lanes: loads.filter((_, lane) => lane % replicas === index),
  }))
  const unowned = { replica: null, pid: undefined, cpuPercent: undefined, residentBytes: undefined, lanes: loads }
  return {
    load: { consumer: 'payment', replicas: replicas === 0 ? [unowned] : own },
    busy: new Map(names.map((name) => [name, busy])),
    machine: machine ?? { cores: 64, busy: 0.1 },
    ...(capacity !== undefined && { capacity }),
    ...(heaviestKey && { heaviestKey }),
  }
}

export const laneLoad = ({ health, ...figures }: LaneFigures, lane: number): LaneLoad => ({
  ...{ lane, owner: 'someone', behind: 0, lagMs: 0, takenPerSecond: 0, arrivingPerSecond: 0 },
  ...figures,
  health: { ...well, lane, ...health },
})

const well: Omit<LaneHealth, 'lane'> = {
  ...{
    condition: 'live',
    topics: [],
    lost: [],
    open: [],
    behind: 0,
    behindMs: 0,
    epoch: 1,
    owner: 'someone',
    silentMs: 0,
  },
  ...{
    phase: 'live',
    reason: null,
    phaseMs: 0,
    pause: null,
    positions: {},
    again: null,
    parked: 0,
    forPersons: 0,
    pace: null,
  },
  ...{ outbox: 0, outboxMs: null, calls: 0, failingCalls: 0, callError: null, timers: 0, overdueTimers: 0 },
}
