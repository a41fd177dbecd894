import type { ConsumerLoad, LaneLoad, ReplicaLoad } from '../consumer-load.ts'
import type { Goals, Seen } from './measurement.ts'
import { limitsOfMore, unhelped } from './limits-of-more.ts'

export interface Advice {
  readonly consumer: string
  /** Number of running replicas, including those started by hand. */
  readonly replicas: number
  readonly needed: number
  /** Time the oldest unread event of all lanes has waited, seconds. */
  readonly lagSeconds: number
  /** Number of unread events; null if the broker did not report the ends. */
  readonly behind: number | null
  readonly arrivingPerSecond: number
  readonly takenPerSecond: number
  /** Input for the next measurement. */
  readonly capacity?: number
  /** Sentences that explain the number, and why more replicas would not help. */
  readonly because: readonly string[]
}

/** Target utilization of a replica, which leaves room for a rising load. */
const useUpTo = 0.7

/**
 * How many replicas a consumer needs. Advises more replicas only if events wait too long and the present replicas will
 * not catch up in time, and fewer only because of low utilization. Pure.
 */
export function advise(seen: Seen, goals: Goals): Advice {
  const { load } = seen
  const lanes = load.replicas.flatMap((replica) => replica.lanes)
  const replicas = replicasIn(load)
  const able = lanes.filter(({ health }) => canBeHelped(health.condition))
  const {
    wanted,
    because,
    capacity = seen.capacity,
  } = replicas.length === 0 ? noReplica : judge(replicas, able, seen, goals)
  const limits = wanted > replicas.length ? limitsOfMore(seen, { replicas, lanes, able, goals, wanted }) : []
  const useful = Math.max(replicas.length, Math.min(...limits.map(({ most }) => most)))
  const needed = Math.max(goals.min, Math.min(wanted, useful, lanes.length || 1, goals.max))
  return {
    consumer: load.consumer,
    replicas: replicas.length,
    needed: Math.min(needed, lanes.length || 1),
    lagSeconds: Math.max(0, ...lanes.map(({ lagMs }) => lagMs)) / 1_000,
    behind: lanes.some(({ behind }) => behind === undefined) ? null : sum(lanes, ({ behind = 0 }) => behind),
    arrivingPerSecond: sum(lanes, ({ arrivingPerSecond }) => arrivingPerSecond),
    takenPerSecond: sum(lanes, ({ takenPerSecond }) => takenPerSecond),
    ...(capacity !== undefined && { capacity }),
    because: [...because, ...limits.map(({ sentence }) => sentence), ...unhelped(lanes)],
  }
}

/** The running replicas; lanes without an owner are listed under a null replica. */
export const replicasIn = ({ replicas }: ConsumerLoad): ReplicaLoad[] =>
  replicas.filter(({ replica }) => replica !== null)

interface Judgement {
  readonly wanted: number
  readonly because: readonly string[]
  readonly capacity?: number
}

const noReplica: Judgement = { wanted: 1, because: ['no replica runs'] }

function judge(replicas: readonly ReplicaLoad[], able: readonly LaneLoad[], seen: Seen, goals: Goals): Judgement {
  const now = replicas.length
  if (able.some(({ behind }) => behind === undefined))
    return { wanted: now, because: ['the broker did not say where the topics end'] }
  const behind = sum(able, ({ behind: events = 0 }) => events)
  const taken = sum(able, ({ takenPerSecond }) => takenPerSecond)
  const lagSeconds = Math.max(0, ...able.map(({ lagMs }) => lagMs)) / 1_000
  const workSeconds = taken > 0 ? behind / taken : 0
  if (Math.max(lagSeconds, workSeconds) <= goals.lagSeconds) return judgeCalm(replicas, able, seen, lagSeconds)

  const late = `events wait ${seconds(Math.max(lagSeconds, workSeconds))}, more than ${seconds(goals.lagSeconds)}`
  const each = takenByOne(replicas, goals)
  if (each === 0) return { wanted: now, because: [`${late}, and none was taken: \`npm run lanes -- ls\` may say why`] }
  const arriving = sum(able, ({ arrivingPerSecond }) => arrivingPerSecond)
  const wanted = Math.max(now, Math.ceil((arriving + behind / goals.drainSeconds) / each - rounding))
  const rates = `${round(arriving)} events/s arrive, ${round(behind)} wait, a replica takes ${round(each)}/s`
  const enough = wanted === now ? `: these are gone in ${goals.drainSeconds} s as it is` : ''
  return { wanted, because: [`${late}; ${rates}${enough}`], capacity: Math.max(each, seen.capacity ?? 0) }
}

/** Judges a consumer that processes its events in time: how many of its replicas suffice. */
function judgeCalm(
  replicas: readonly ReplicaLoad[],
  able: readonly LaneLoad[],
  { busy, capacity }: Seen,
  lagSeconds: number,
): Judgement {
  const now = replicas.length
  const calls = sum(able, ({ health }) => health.calls)
  if (calls > callsAtOnce * now && !able.some(({ health }) => health.failingCalls > 0))
    return { wanted: now + 1, because: [`${calls} outside calls wait, and a replica makes ${callsAtOnce} at once`] }
  const shares = replicas.map(({ replica }) => busy.get(replica ?? ''))
  if (shares.some((share) => share === undefined))
    return { wanted: now, because: [`${waiting(lagSeconds)}; the load of a replica is unknown`] }
  const used = shares.reduce<number>((total, share = 0) => total + share, 0)
  const byRate = capacity ? sum(able, ({ arrivingPerSecond }) => arrivingPerSecond) / capacity : 0
  const wanted = Math.min(now, Math.max(1, Math.ceil(Math.max(used, byRate) / useUpTo - rounding)))
  const ofCapacity = byRate > used ? ` and take ${percent(byRate / now)} of what they can` : ''
  return {
    wanted,
    because: [`${waiting(lagSeconds)}, replicas are ${percent(used / now)} busy${ofCapacity}`],
  }
}

/** Concurrent calls of a replica: `concurrency` in consumers/runtime/lane/caller.ts. */
const callsAtOnce = 64
/** Tolerance for rounding errors of sums. */
const rounding = 1e-9

/** Mean rate of the saturated replicas, or of all if none is saturated, events per second. */
function takenByOne(replicas: readonly ReplicaLoad[], { lagSeconds }: Goals): number {
  const full = replicas.filter(({ lanes }) =>
    lanes.some(({ health, lagMs }) => canBeHelped(health.condition) && lagMs > (1_000 * lagSeconds) / 2),
  )
  const measured = (full.length > 0 ? full : replicas).map(({ lanes }) =>
    sum(lanes, ({ takenPerSecond }) => takenPerSecond),
  )
  return measured.reduce((total, rate) => total + rate, 0) / Math.max(1, measured.length)
}

/** Whether more replicas can help: a lane that is unable to progress does not benefit from them. */
const canBeHelped = (condition: LaneLoad['health']['condition']): boolean =>
  condition === 'live' || condition === 'claiming' || condition === 'unowned'

const sum = (lanes: readonly LaneLoad[], of: (lane: LaneLoad) => number): number =>
  lanes.reduce((total, lane) => total + of(lane), 0)
const round = (value: number) => Math.round(value).toLocaleString('en')
/** A lag of less than this is shown as none, seconds. */
const shownLag = 0.05
const waiting = (lag: number) => (lag < shownLag ? 'no events wait' : `events wait ${seconds(lag)}`)
const seconds = (value: number) => `${value.toFixed(1)} s`
const percent = (share: number) => `${Math.round(100 * share)} %`
