import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../../infra/config.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { cpuMs, residentBytes } from '../../../infra/stack/supervisor/process-identity.ts'
import type { StackStatus } from '../../../infra/stack/supervisor/stack-record.ts'
import type { LaneHealth } from '../lanes/lane-health.ts'
import { readHealth } from '../lanes/read-health.ts'
import { writtenAt } from './oldest-unread.ts'
import type { Place } from './oldest-unread.ts'
import { replicasOf } from './running-stack.ts'
import { pidOf } from './unsettled.ts'

/** The load of one lane during a short measurement. */
export interface LaneLoad {
  readonly lane: number
  readonly owner: string | null
  /** Number of unread events; undefined if the broker did not report the ends. */
  readonly behind: number | undefined
  /** Time the oldest of them has waited, milliseconds; 0 if there is none. */
  readonly lagMs: number
  /** Events per second. */
  readonly takenPerSecond: number
  readonly arrivingPerSecond: number
  /** Its health at the end of the measurement. */
  readonly health: LaneHealth
}

/** One replica; a replica started by hand is known only from its lanes. */
export interface ReplicaLoad {
  /** Name of its process in the stack, or `payment@host:1234`; null: these lanes have no owner. */
  readonly replica: string | null
  readonly pid: number | undefined
  readonly lanes: readonly LaneLoad[]
  /** Share of one processor. */
  readonly cpuPercent: number | undefined
  readonly residentBytes: number | undefined
}

export interface ConsumerLoad {
  readonly consumer: string
  readonly replicas: readonly ReplicaLoad[]
}

export interface LoadOptions {
  config: Config
  pool: Pool
  stack: StackStatus
  /** Duration of the measurement, milliseconds. Rates are averages over it. @default 2_000 */
  overMs?: number
  signal: AbortSignal
}

/**
 * Measures the work and the throughput of every replica of every consumer.
 * @throws TallyError UNREACHABLE; errors of pg and kafkajs
 */
export async function readLoad({ config, pool, stack, overMs = 2_000, signal }: LoadOptions): Promise<ConsumerLoad[]> {
  const used = () => new Map(stack.processes.map(({ identity }) => [identity?.pid, identity && cpuMs(identity.pid)]))
  const look = async () => ({ at: performance.now(), used: used(), health: await readHealth(config, pool) })
  const first = await look()
  await delay(overMs, undefined, { signal })
  const last = await look()
  const elapsedMs = last.at - first.at
  return Promise.all(
    last.health.groups.map(async ({ group, lanes }) => {
      const written = await writtenAt(config, unreadPlaces(lanes), signal)
      const before = first.health.groups.find((other) => other.group === group)?.lanes ?? []
      const loads = lanes.map((lane) =>
        laneLoad(
          lane,
          before.find((other) => other.lane === lane.lane),
          elapsedMs,
          written,
        ),
      )
      const processes = replicasOf(stack, group)
      const own = processes.map(({ name, identity }): ReplicaLoad => {
        const pid = identity?.pid
        const [then, now] = [first.used.get(pid), last.used.get(pid)]
        return {
          replica: name,
          pid,
          lanes: loads.filter(({ owner }) => pid !== undefined && pidOf(owner) === pid),
          cpuPercent: then === undefined || now === undefined ? undefined : (100 * (now - then)) / elapsedMs,
          residentBytes: pid === undefined ? undefined : residentBytes(pid),
        }
      })
      const others = Map.groupBy(
        loads.filter((load) => !own.some(({ lanes: mine }) => mine.includes(load))),
        ({ owner }) => owner,
      )
      const strangers = [...others].map(
        ([replica, mine]): ReplicaLoad => ({
          ...{ replica, pid: undefined, lanes: mine, cpuPercent: undefined, residentBytes: undefined },
        }),
      )
      return { consumer: group, replicas: [...own, ...strangers] }
    }),
  )
}

/** Replicas without lanes. */
export const idleReplicas = ({ replicas }: ConsumerLoad): ReplicaLoad[] =>
  replicas.filter(({ lanes }) => lanes.length === 0)

type LaneRates = Pick<LaneLoad, 'behind' | 'takenPerSecond' | 'arrivingPerSecond'>

/** Lag that counts as keeping up, in seconds of throughput: rates of a short measurement vary by chance. */
const keepsUpWithinS = 3

/**
 * Time until these lanes have processed their lag at their combined rates, milliseconds; null if they never will;
 * undefined if the broker did not report the ends.
 */
export function drainMs(lanes: readonly LaneRates[]): number | null | undefined {
  const sum = (of: (lane: LaneRates) => number) => lanes.reduce((total, lane) => total + of(lane), 0)
  if (lanes.some(({ behind }) => behind === undefined)) return undefined
  const behind = sum((lane) => lane.behind ?? 0)
  const taken = sum(({ takenPerSecond }) => takenPerSecond)
  if (behind === 0) return 0
  const rate = behind <= keepsUpWithinS * taken ? taken : taken - sum(({ arrivingPerSecond }) => arrivingPerSecond)
  return rate > 0 ? (1_000 * behind) / rate : null
}

function laneLoad(
  lane: LaneHealth,
  before: LaneHealth | undefined,
  elapsedMs: number,
  written: ReadonlyMap<string, number>,
): LaneLoad {
  const perSecond = (of: (place: LaneHealth['topics'][number]) => number | undefined) => {
    let gained = 0
    for (const place of lane.topics) {
      const [then, now] = [before?.topics.find(({ topic }) => topic === place.topic) ?? place, place].map(of)
      if (then !== undefined && now !== undefined) gained += now - then // The broker may not have answered each time
    }
    return (1_000 * Math.max(0, gained)) / elapsedMs
  }
  const times = lane.topics.flatMap(({ topic }) => written.get(`${topic}/${lane.lane}`) ?? [])
  return {
    lane: lane.lane,
    // The database keeps the name of a replica that is gone
    owner: lane.silentMs === null ? null : lane.owner,
    behind: lane.behind,
    lagMs: times.length > 0 ? Math.max(0, Date.now() - Math.min(...times)) : lane.behindMs,
    takenPerSecond: perSecond(({ position }) => position),
    arrivingPerSecond: perSecond(({ end }) => end),
    health: lane,
  }
}

/** The place of the next unread record of each lane and topic, if there is one. */
const unreadPlaces = (lanes: readonly LaneHealth[]): Place[] =>
  lanes.flatMap(({ lane, topics }) =>
    topics
      .filter(({ position, end = 0 }) => position < end)
      .map(({ topic, position }) => ({ topic, partition: lane, offset: position })),
  )
